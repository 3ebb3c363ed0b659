//! The algorithms by which a token may be signed.

use ring::digest;
use ring::signature::{self, RsaParameters};

/// A signature with a private key (RFC 7518, RFC 8037). `none`, and the algorithms whose key both sides share, have no
/// value here: a token that names them names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth::jwt) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
    Es512,
    Ps256,
    Ps384,
    Ps512,
    EdDsa,
}

impl Algorithm {
    /// All of them.
    pub(in crate::auth::jwt) const ALL: [Self; 10] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::EdDsa,
    ];

    /// The algorithm of this name; its case counts.
    pub(in crate::auth::jwt) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Its name in the header of a token.
    pub(in crate::auth::jwt) const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// How a signature by an RSA key of 2048 to 8192 bits is verified; nothing for the others.
    pub(super) const fn rsa(self) -> Option<&'static RsaParameters> {
        match self {
            Self::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
            Self::Es256 | Self::Es384 | Self::Es512 | Self::EdDsa => None,
        }
    }

    /// The hash of `at_hash` (OpenID Connect Core 3.1.3.6). For EdDSA that of Ed25519.
    pub(in crate::auth::jwt) fn hash(self) -> &'static digest::Algorithm {
        match self {
            Self::Rs256 | Self::Es256 | Self::Ps256 => &digest::SHA256,
            Self::Rs384 | Self::Es384 | Self::Ps384 => &digest::SHA384,
            Self::Rs512 | Self::Es512 | Self::Ps512 | Self::EdDsa => &digest::SHA512,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signatures_with_private_keys_have_names() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.name()), Some(algorithm));
        }
        for name in ["none", "None", "NONE", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "ES256K", "dir"] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }
}
