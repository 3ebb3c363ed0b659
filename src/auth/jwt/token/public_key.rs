//! Keys that verify.

use p521::ecdsa::signature::Verifier;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::SubjectPublicKeyInfo;

use super::algorithm::Algorithm;

/// A public key. What it is decides which algorithms it can verify: a token cannot ask for another reading of it.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::auth::jwt) enum PublicKey {
    /// Modulus and exponent, big-endian without zeros before them.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// An uncompressed point: 65 bytes.
    P256(Vec<u8>),
    /// An uncompressed point: 97 bytes.
    P384(Vec<u8>),
    /// An uncompressed point: 133 bytes.
    P521(Vec<u8>),
    /// 32 bytes.
    Ed25519(Vec<u8>),
}

const RSA: &str = "1.2.840.113549.1.1.1";
const EC: &str = "1.2.840.10045.2.1";
const ED25519: &str = "1.3.101.112";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";

impl PublicKey {
    /// The key in a PEM text: one `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`, and nothing else. The error is a
    /// sentence for the caller.
    pub(in crate::auth::jwt) fn from_pem(text: &str) -> Result<Self, &'static str> {
        const NONE: &str = "data does not contain any valid public keys";
        let mut blocks = Pem::iter_from_buffer(text.as_bytes());
        let block = blocks.next().and_then(Result::ok).ok_or(NONE)?;
        if blocks.next().is_some() {
            return Err("unexpected trailing data after parsed PEM block; give each key as an element of its own");
        }
        match block.label.as_str() {
            "PUBLIC KEY" => {
                let (rest, key) = SubjectPublicKeyInfo::from_der(&block.contents).map_err(|_| NONE)?;
                if rest.is_empty() { Self::from_spki(&key) } else { Err(NONE) }
            }
            "CERTIFICATE" => {
                let (_, certificate) = X509Certificate::from_der(&block.contents).map_err(|_| NONE)?;
                Self::from_spki(certificate.public_key())
            }
            "RSA PUBLIC KEY" => {
                let (_, key) = x509_parser::public_key::RSAPublicKey::from_der(&block.contents).map_err(|_| NONE)?;
                Self::rsa(key.modulus, key.exponent)
            }
            _ => Err(NONE),
        }
    }

    fn from_spki(key: &SubjectPublicKeyInfo<'_>) -> Result<Self, &'static str> {
        const OTHER: &str = "the key is of a kind that is not taken: use RSA, P-256, P-384, P-521 or Ed25519";
        let bytes = &*key.subject_public_key.data;
        let curve =
            key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok()).map(|oid| oid.to_id_string());
        match (key.algorithm.algorithm.to_id_string().as_str(), curve.as_deref()) {
            (RSA, _) => {
                let (_, key) = x509_parser::public_key::RSAPublicKey::from_der(bytes).map_err(|_| OTHER)?;
                Self::rsa(key.modulus, key.exponent)
            }
            (EC, Some(P256)) => Self::point(Self::P256, bytes, 65),
            (EC, Some(P384)) => Self::point(Self::P384, bytes, 97),
            (EC, Some(P521)) => Self::point(Self::P521, bytes, 133),
            (ED25519, None) => Self::ed25519(bytes),
            _ => Err(OTHER),
        }
    }

    /// An RSA key out of its numbers.
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, &'static str> {
        let modulus = without_zeros(modulus);
        if !(256..=1024).contains(&modulus.len()) {
            return Err("an RSA key must have 2048 to 8192 bits");
        }
        Ok(Self::Rsa { modulus: modulus.to_vec(), exponent: without_zeros(exponent).to_vec() })
    }

    /// A key on an elliptic curve out of its uncompressed point.
    pub(super) fn point(make: fn(Vec<u8>) -> Self, bytes: &[u8], length: usize) -> Result<Self, &'static str> {
        if bytes.len() != length || bytes.first() != Some(&4) {
            return Err("a key on an elliptic curve must be an uncompressed point");
        }
        Ok(make(bytes.to_vec()))
    }

    /// An Ed25519 key out of its bytes.
    pub(super) fn ed25519(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() == 32 { Ok(Self::Ed25519(bytes.to_vec())) } else { Err("an Ed25519 key must have 32 bytes") }
    }

    /// Whether `signature` is of `message`, by this key and `algorithm`. An algorithm that is not for keys of this kind
    /// verifies nothing.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let is = |wanted: Algorithm, by: &'static dyn VerificationAlgorithm, key: &[u8]| {
            algorithm == wanted && UnparsedPublicKey::new(by, key).verify(message, signature).is_ok()
        };
        match self {
            Self::Rsa { modulus, exponent } => algorithm.rsa().is_some_and(|parameters| {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(parameters, message, signature).is_ok()
            }),
            Self::P256(point) => is(Algorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED, point),
            Self::P384(point) => is(Algorithm::Es384, &signature::ECDSA_P384_SHA384_FIXED, point),
            Self::P521(point) => algorithm == Algorithm::Es512 && verifies_p521(point, message, signature),
            Self::Ed25519(key) => is(Algorithm::EdDsa, &signature::ED25519, key),
        }
    }
}

fn verifies_p521(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok();
    let signature = p521::ecdsa::Signature::from_slice(signature).ok();
    key.zip(signature).is_some_and(|(key, signature)| key.verify(message, &signature).is_ok())
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}
