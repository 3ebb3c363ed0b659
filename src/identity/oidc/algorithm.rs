//! The algorithms that tokens are signed with (RFC 7518, RFC 8037).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED, ECDSA_P521_SHA512_FIXED_SIGNING, ED25519, EcdsaSigningAlgorithm,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding, VerificationAlgorithm,
};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How a token is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSA of 2048 bits, PKCS #1, SHA-256.
    #[default]
    RS256,
    /// RSA of 2048 bits, PKCS #1, SHA-384.
    RS384,
    /// RSA of 2048 bits, PKCS #1, SHA-512.
    RS512,
    /// ECDSA over P-256.
    ES256,
    /// ECDSA over P-384.
    ES384,
    /// ECDSA over P-521.
    ES512,
    /// Ed25519.
    EdDSA,
}

/// What kind of key an algorithm has.
pub(super) enum Family {
    Rsa(&'static dyn RsaEncoding),
    Ecdsa { curve: &'static str, signing: &'static EcdsaSigningAlgorithm },
    Ed25519,
}

impl Algorithm {
    /// Every one of them.
    pub const ALL: [Self; 7] =
        [Self::RS256, Self::RS384, Self::RS512, Self::ES256, Self::ES384, Self::ES512, Self::EdDSA];

    /// Its name in a token's header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
        }
    }

    /// The algorithm of this name.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name);
        found.ok_or_else(|| {
            Error::invalid("unknown signing algorithm; use RS256, RS384, RS512, ES256, ES384, ES512 or EdDSA")
        })
    }

    pub(super) fn family(self) -> Family {
        match self {
            Self::RS256 => Family::Rsa(&RSA_PKCS1_SHA256),
            Self::RS384 => Family::Rsa(&RSA_PKCS1_SHA384),
            Self::RS512 => Family::Rsa(&RSA_PKCS1_SHA512),
            Self::ES256 => Family::Ecdsa { curve: "P-256", signing: &ECDSA_P256_SHA256_FIXED_SIGNING },
            Self::ES384 => Family::Ecdsa { curve: "P-384", signing: &ECDSA_P384_SHA384_FIXED_SIGNING },
            Self::ES512 => Family::Ecdsa { curve: "P-521", signing: &ECDSA_P521_SHA512_FIXED_SIGNING },
            Self::EdDSA => Family::Ed25519,
        }
    }

    pub(super) fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::RS256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::RS384 => &RSA_PKCS1_2048_8192_SHA384,
            Self::RS512 => &RSA_PKCS1_2048_8192_SHA512,
            Self::ES256 => &ECDSA_P256_SHA256_FIXED,
            Self::ES384 => &ECDSA_P384_SHA384_FIXED,
            Self::ES512 => &ECDSA_P521_SHA512_FIXED,
            Self::EdDSA => &ED25519,
        }
    }
}
