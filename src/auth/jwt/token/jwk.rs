//! JSON Web Key Sets (RFC 7517).

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::public_key::PublicKey;

/// A key with what its provider says about it.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::auth::jwt) struct Key {
    /// Its name; nothing where it has none.
    pub(in crate::auth::jwt) id: Option<String>,
    /// The one algorithm that it is for, if it says so.
    pub(in crate::auth::jwt) algorithm: Option<Algorithm>,
    /// The key.
    pub(in crate::auth::jwt) public: PublicKey,
}

/// The keys of a provider that can verify. Others (for encryption, with a shared secret, of a kind unknown here) are
/// left out: one key that means nothing must not make the others useless.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::auth::jwt) struct JwkSet(pub(in crate::auth::jwt) Vec<Key>);

/// The most keys that a set may have.
const MAX_KEYS: usize = 256;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// The members of a key that count here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: String,
    n: String,
    e: String,
    x: String,
    y: String,
}

impl JwkSet {
    /// Reads a set. The error is a sentence for the caller.
    pub(in crate::auth::jwt) fn parse(json: &[u8]) -> Result<Self, &'static str> {
        let document: Document = serde_json::from_slice(json).map_err(|_| "the answer is not a JSON Web Key Set")?;
        if document.keys.len() > MAX_KEYS {
            return Err("the JSON Web Key Set has more than 256 keys");
        }
        let known = document.keys.into_iter().filter_map(|key| Key::read(serde_json::from_value(key).ok()?));
        Ok(Self(known.collect()))
    }
}

impl Key {
    /// A key that nothing is said about.
    pub(in crate::auth::jwt) fn plain(public: PublicKey) -> Self {
        Self { id: None, algorithm: None, public }
    }

    fn read(jwk: Jwk) -> Option<Self> {
        let is_for_signatures = jwk.r#use.as_deref().is_none_or(|purpose| purpose == "sig")
            && jwk.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|name| name == "verify"));
        let algorithm = match &jwk.alg {
            Some(name) => Some(Algorithm::parse(name)?),
            None => None,
        };
        let public = jwk.public()?;
        is_for_signatures.then_some(Self { id: jwk.kid, algorithm, public })
    }
}

impl Jwk {
    fn public(&self) -> Option<PublicKey> {
        match (self.kty.as_str(), self.crv.as_str()) {
            ("RSA", _) => PublicKey::rsa(&decoded(&self.n)?, &decoded(&self.e)?).ok(),
            ("EC", "P-256") => PublicKey::point(PublicKey::P256, &self.point(32)?, 65).ok(),
            ("EC", "P-384") => PublicKey::point(PublicKey::P384, &self.point(48)?, 97).ok(),
            ("EC", "P-521") => PublicKey::point(PublicKey::P521, &self.point(66)?, 133).ok(),
            ("OKP", "Ed25519") => PublicKey::ed25519(&decoded(&self.x)?).ok(),
            _ => None,
        }
    }

    /// The uncompressed point of coordinates of `length` bytes each.
    fn point(&self, length: usize) -> Option<Vec<u8>> {
        let (x, y) = (decoded(&self.x)?, decoded(&self.y)?);
        let is_whole = x.len() == length && y.len() == length;
        is_whole.then(|| [&[4], x.as_slice(), y.as_slice()].concat())
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok()
}
