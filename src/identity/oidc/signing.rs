//! Key pairs: made, used, published.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair, UnparsedPublicKey};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey as ParsedKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::error::{Error, Result};
use crate::secret::{self, SecretBytes, SecretText};

use super::algorithm::{Algorithm, Family};

/// A key pair as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeyPair {
    pub(super) public: PublicKey,
    /// PKCS #8, in base64.
    #[serde(with = "secret::at_rest")]
    private: SecretText,
}

/// The public half of a key pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PublicKey {
    /// Its id, in the header of what it signed.
    pub(super) id: String,
    pub(super) algorithm: Algorithm,
    /// What its algorithm verifies with, in base64: a point, or PKCS #1.
    key: String,
    /// What it is made of, for its JWK: the point's coordinates, or modulus and exponent.
    parts: Vec<String>,
}

/// A public key as it is published (RFC 7517).
#[derive(Debug, Serialize, JsonSchema)]
pub struct Jwk {
    #[serde(rename = "use")]
    usage: &'static str,
    kty: &'static str,
    kid: String,
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

impl KeyPair {
    /// A new key pair with this id. For RSA that takes a while: not for a thread that serves requests.
    pub(super) fn generate(algorithm: Algorithm, id: String) -> Result<Self> {
        let failed = |_| Error::internal("a signing key could not be made");
        let (private, key, parts) = match algorithm.family() {
            Family::Rsa(_) => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?;
                let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).map_err(failed)?;
                (
                    SecretBytes::new(private.as_ref().to_vec()),
                    pair.public_key().as_ref().to_vec(),
                    modulus(spki.as_ref())?,
                )
            }
            Family::Ecdsa { signing, .. } => {
                let pair = EcdsaKeyPair::generate(signing).map_err(failed)?;
                let private = pair.to_pkcs8v1().map_err(failed)?;
                let point = pair.public_key().as_ref().to_vec();
                let coordinates = point.get(1..).unwrap_or_default();
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                let parts = vec![BASE64URL_NOPAD.encode(x), BASE64URL_NOPAD.encode(y)];
                (SecretBytes::new(private.as_ref().to_vec()), point, parts)
            }
            Family::Ed25519 => {
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                let private = pair.to_pkcs8v1().map_err(failed)?;
                let point = pair.public_key().as_ref().to_vec();
                let parts = vec![BASE64URL_NOPAD.encode(&point)];
                (SecretBytes::new(private.as_ref().to_vec()), point, parts)
            }
        };
        let public = PublicKey { id, algorithm, key: BASE64.encode(&key), parts };
        Ok(Self { public, private: SecretText::new(BASE64.encode(&private)) })
    }

    /// The signature of `message`, in the form that a JWS has it.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let damaged = || Error::corrupt("a stored signing key is damaged");
        let failed = |_| Error::internal("a token could not be signed");
        let private = BASE64.decode(self.private.expose().as_bytes()).map_err(|_| damaged())?;
        let private = SecretBytes::new(private);
        match self.public.algorithm.family() {
            Family::Rsa(encoding) => {
                let pair = RsaKeyPair::from_pkcs8(&private).map_err(|_| damaged())?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Family::Ecdsa { signing, .. } => {
                let pair = EcdsaKeyPair::from_pkcs8(signing, &private).map_err(|_| damaged())?;
                Ok(pair.sign(&SystemRandom::new(), message).map_err(failed)?.as_ref().to_vec())
            }
            Family::Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8(&private).map_err(|_| damaged())?;
                Ok(pair.sign(message).as_ref().to_vec())
            }
        }
    }
}

impl PublicKey {
    /// Whether this key made `signature` of `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(key) = BASE64.decode(self.key.as_bytes()) else { return false };
        UnparsedPublicKey::new(self.algorithm.verification(), key).verify(message, signature).is_ok()
    }

    /// The key as it is published.
    pub(super) fn jwk(&self) -> Jwk {
        let part = |index: usize| self.parts.get(index).cloned();
        let empty = Jwk {
            usage: "sig",
            kty: "",
            kid: self.id.clone(),
            alg: self.algorithm.as_str(),
            crv: None,
            x: None,
            y: None,
            n: None,
            e: None,
        };
        match self.algorithm.family() {
            Family::Rsa(_) => Jwk { kty: "RSA", n: part(0), e: part(1), ..empty },
            Family::Ecdsa { curve, .. } => Jwk { kty: "EC", crv: Some(curve), x: part(0), y: part(1), ..empty },
            Family::Ed25519 => Jwk { kty: "OKP", crv: Some("Ed25519"), x: part(0), ..empty },
        }
    }
}

/// Modulus and exponent of an RSA key.
fn modulus(spki: &[u8]) -> Result<Vec<String>> {
    let failed = || Error::internal("a signing key could not be made");
    let (_, spki) = SubjectPublicKeyInfo::from_der(spki).map_err(|_| failed())?;
    let ParsedKey::RSA(rsa) = spki.parsed().map_err(|_| failed())? else { return Err(failed()) };
    let number = |bytes: &[u8]| {
        let start = bytes.iter().position(|byte| *byte != 0).unwrap_or_default();
        BASE64URL_NOPAD.encode(bytes.get(start..).unwrap_or_default())
    };
    Ok(vec![number(rsa.modulus), number(rsa.exponent)])
}
