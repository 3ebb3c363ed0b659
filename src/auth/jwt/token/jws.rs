//! `Presented`: a token as somebody showed it, of which nothing is believed before a key has verified it.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::claims::Claims;
use super::jwk::Key;

/// A signed token in its compact form (RFC 7515), not verified. Its claims cannot be had without a key.
pub(in crate::auth::jwt) struct Presented {
    /// The header and the payload with the dot between them: what is signed.
    signed: String,
    payload: Vec<u8>,
    signature: Vec<u8>,
    /// Nothing where the header names an algorithm that is not taken.
    algorithm: Option<Algorithm>,
    key_id: Option<String>,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth::jwt) enum Refusal {
    /// It is no token, or says something that cannot be taken; the sentence is for the caller.
    Malformed(&'static str),
    /// Its algorithm is none that is allowed.
    Algorithm,
    /// No key fits. Another set of keys may have one that does.
    Signature,
}

impl Refusal {
    /// A sentence for the caller.
    pub(in crate::auth::jwt) const fn sentence(self) -> &'static str {
        match self {
            Self::Malformed(sentence) => sentence,
            Self::Algorithm => "invalid algorithm (alg) header parameter: token signed with unexpected algorithm",
            Self::Signature => {
                "error verifying token signature: no known key successfully validated the token signature"
            }
        }
    }
}

/// The members of the header that count. `jwk`, `jku`, `x5c` and `x5u` are not among them: a token does not bring the
/// key that it is verified with.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<Value>,
    #[serde(default)]
    crit: Option<Value>,
}

impl Presented {
    /// The longest token, in bytes.
    pub(in crate::auth::jwt) const MAX_LENGTH: usize = 64 << 10;

    /// Takes a token apart.
    pub(in crate::auth::jwt) fn parse(text: &str) -> Result<Self, Refusal> {
        const CODE: Refusal = Refusal::Malformed("error verifying token signature: a part is not Base64url");
        let text = text.trim();
        if text.len() > Self::MAX_LENGTH {
            return Err(Refusal::Malformed("the token is longer than 64 KiB"));
        }
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::Malformed("error verifying token signature: a signed token must have three parts"));
        };
        let signed = format!("{header}.{payload}");
        let header = BASE64URL_NOPAD.decode(header.as_bytes()).map_err(|_| CODE)?;
        let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).map_err(|_| CODE)?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| CODE)?;
        let header: Header = serde_json::from_slice(&header)
            .map_err(|_| Refusal::Malformed("error verifying token signature: the header is not that of a token"))?;
        if header.crit.is_some() {
            return Err(Refusal::Malformed(
                "error verifying token signature: the header demands (crit) what is not known here",
            ));
        }
        let key_id = match header.kid {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(Refusal::Malformed("error verifying token signature: the key id (kid) must be text"));
            }
        };
        Ok(Self { signed, payload, signature, algorithm: Algorithm::parse(&header.alg), key_id })
    }

    /// Its algorithm, if it is among `allowed`.
    pub(in crate::auth::jwt) fn algorithm(&self, allowed: &[Algorithm]) -> Result<Algorithm, Refusal> {
        self.algorithm.filter(|algorithm| allowed.contains(algorithm)).ok_or(Refusal::Algorithm)
    }

    /// The claims, if one of `keys` verifies the signature by an algorithm that is `allowed`. A token that names its key
    /// is verified with keys of that name, and with those that have none.
    pub(in crate::auth::jwt) fn verify(&self, keys: &[Key], allowed: &[Algorithm]) -> Result<Claims, Refusal> {
        let algorithm = self.algorithm(allowed)?;
        let fits = |key: &&Key| {
            let id_fits = match (&self.key_id, &key.id) {
                (Some(wanted), Some(id)) => wanted == id,
                (None, _) | (_, None) => true,
            };
            id_fits && key.algorithm.is_none_or(|only| only == algorithm)
        };
        let mut candidates = keys.iter().filter(fits);
        if !candidates.any(|key| key.public.verifies(algorithm, self.signed.as_bytes(), &self.signature)) {
            return Err(Refusal::Signature);
        }
        match serde_json::from_slice(&self.payload) {
            Ok(Value::Object(claims)) => Ok(Claims(claims)),
            Ok(_) | Err(_) => Err(Refusal::Malformed("the payload is not a JSON object")),
        }
    }
}
