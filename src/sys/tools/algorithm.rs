//! The digests that `sys/tools/hash` can make: SHA-2 (FIPS 180-4) and SHA-3 (FIPS 202).

use ring::digest;
use sha2::Digest as _;

use crate::error::{Error, Result};

/// A digest's algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
}

impl Algorithm {
    /// The algorithm called `name`.
    pub(super) fn parse(name: &str) -> Result<Self> {
        match name {
            "sha2-224" => Ok(Self::Sha224),
            "sha2-256" => Ok(Self::Sha256),
            "sha2-384" => Ok(Self::Sha384),
            "sha2-512" => Ok(Self::Sha512),
            "sha3-224" => Ok(Self::Sha3_224),
            "sha3-256" => Ok(Self::Sha3_256),
            "sha3-384" => Ok(Self::Sha3_384),
            "sha3-512" => Ok(Self::Sha3_512),
            _ => Err(Error::invalid("unsupported algorithm: use sha2- or sha3- with 224, 256, 384 or 512")),
        }
    }

    /// The digest of `input`.
    pub(super) fn digest(self, input: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha224 => sha2::Sha224::digest(input).to_vec(),
            Self::Sha256 => digest::digest(&digest::SHA256, input).as_ref().to_vec(),
            Self::Sha384 => digest::digest(&digest::SHA384, input).as_ref().to_vec(),
            Self::Sha512 => digest::digest(&digest::SHA512, input).as_ref().to_vec(),
            Self::Sha3_224 => sha3::Sha3_224::digest(input).to_vec(),
            Self::Sha3_256 => sha3::Sha3_256::digest(input).to_vec(),
            Self::Sha3_384 => sha3::Sha3_384::digest(input).to_vec(),
            Self::Sha3_512 => sha3::Sha3_512::digest(input).to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginnings of the digests of `hello`.
    #[test]
    fn digests_of_a_known_input() {
        for (name, start, length) in [
            ("sha2-224", [0xea, 0x09, 0xae, 0x9c], 28),
            ("sha2-256", [0x2c, 0xf2, 0x4d, 0xba], 32),
            ("sha2-384", [0x59, 0xe1, 0x74, 0x87], 48),
            ("sha2-512", [0x9b, 0x71, 0xd2, 0x24], 64),
            ("sha3-224", [0xb8, 0x7f, 0x88, 0xc7], 28),
            ("sha3-256", [0x33, 0x38, 0xbe, 0x69], 32),
            ("sha3-384", [0x72, 0x0a, 0xea, 0x11], 48),
            ("sha3-512", [0x75, 0xd5, 0x27, 0xc3], 64),
        ] {
            let digest = Algorithm::parse(name).unwrap().digest(b"hello");
            assert_eq!((&digest[..4], digest.len()), (&start[..], length), "{name}");
        }
        for name in ["md5", "sha1", "", "SHA2-256"] {
            assert!(Algorithm::parse(name).is_err(), "{name}");
        }
    }
}
