//! How the root key comes back after a start: Shamir's shares of the seal key, and what hands them to people.
//!
//! The root key is stored encrypted under the seal key ([`wrap_root_key`]). The seal key is stored nowhere: it exists as
//! shares ([`split`]), and comes back out of enough of them ([`combine`]). Nothing here touches storage or time.

mod config;
mod generate_root;
mod pgp;
mod progress;
mod root_key;
mod shamir;

pub use config::SealConfig;
pub use generate_root::{EncodedToken, Otp, RootDelivery, decode_token};
pub use pgp::PublicKey;
pub use progress::{AttemptProgress, Given, UnsealProgress};
pub use root_key::{unwrap_root_key, wrap_root_key};
pub use shamir::{DistinctShares, Shares, Threshold, combine, parse_share, share_base64, share_hex, split};

use crate::error::{Error, Kind};

/// Why a seal could not be made or opened. The sentences are those that Vault's operators know.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Fewer than one share.
    #[error("invalid seal configuration: shares must be at least one")]
    NoShares,
    /// More than 255 shares.
    #[error("invalid seal configuration: shares must be less than 256")]
    TooManyShares,
    /// A threshold below one.
    #[error("invalid seal configuration: threshold must be at least one")]
    NoThreshold,
    /// A threshold of one, although there are several shares: each would be the key itself.
    #[error("invalid seal configuration: threshold must be greater than one for multiple shares")]
    ThresholdOfOne,
    /// A threshold that all shares together do not reach.
    #[error("invalid seal configuration: threshold cannot be larger than shares")]
    ThresholdAboveShares,
    /// Not one public key for each share.
    #[error("invalid seal configuration: count mismatch between number of provided PGP keys and number of shares")]
    PgpKeyCount,
    /// A text that is neither base64 of a public key nor an armoured one.
    #[error("error decoding given PGP key: give the base64 of the binary public key, or the armoured public key")]
    PgpKeyText,
    /// A public key that cannot be read, or whose own signatures are wrong.
    #[error("error parsing given PGP key: it is no valid OpenPGP public key")]
    PgpKeyInvalid(#[source] Box<::pgp::errors::Error>),
    /// A public key without a part that encrypts, or whose encrypting part is revoked or has expired.
    #[error("the given PGP key has no valid part for encryption; give one that is neither revoked nor expired")]
    PgpKeyCannotEncrypt,
    /// Encryption to a public key failed.
    #[error("encryption to the PGP key failed; give another key")]
    PgpEncryption(#[source] Box<::pgp::errors::Error>),
    /// A share that is neither hexadecimal nor base64, or far too short.
    #[error("'key' must be a valid hex or base64 string")]
    ShareText,
    /// A share of more than 33 bytes.
    #[error("invalid key: key is longer than maximum 33 bytes")]
    ShareTooLong,
    /// A share whose length does not fit this seal.
    #[error("invalid key: a key of this seal has {0} bytes")]
    ShareLength(usize),
    /// A share whose x coordinate is zero, where the secret itself would be.
    #[error("invalid key: it is damaged; check that it was copied whole")]
    ShareDamaged,
    /// Two different shares with one x coordinate: at least one is damaged.
    #[error("invalid key: duplicate part detected; all keys must be given again")]
    DuplicateShare,
    /// Not as many shares as the threshold asks for.
    #[error("invalid key: not enough keys were given")]
    TooFewShares,
    /// A share that was already given in this attempt.
    #[error("given key has already been provided during this operation")]
    ShareRepeated,
    /// A share without the attempt's nonce.
    #[error("nonce is required")]
    NonceMissing,
    /// A share with another attempt's nonce.
    #[error("incorrect nonce supplied; read the status of the operation for the right one")]
    NonceWrong,
    /// A one-time password that is not as long as the token.
    #[error("OTP string has incorrect length")]
    OtpLength,
    /// `encoded_token` or `otp` is empty.
    #[error("provided 'encoded_token' or 'otp' is empty")]
    OtpEmpty,
    /// `encoded_token` is no base64.
    #[error("error decoding base64'd token: give encoded_token as it was answered")]
    TokenText,
    /// Token and one-time password differ in length, or do not belong together.
    #[error("error xoring token: it and the otp do not belong together")]
    TokenOtpMismatch,
    /// The seal key does not open the root key: at least one share is wrong.
    #[error("invalid key: failed to decrypt keys from storage: message authentication failed")]
    WrongKey,
    /// The wrapped root key is cut short or of a version that this build does not know.
    #[error("the stored root key cannot be read; restore it from a backup")]
    WrappedKeyDamaged,
    /// Encryption of the root key failed.
    #[error("the root key could not be encrypted")]
    WrapFailed,
    /// Randomness failed.
    #[error("no randomness")]
    Entropy(#[source] Error),
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Entropy(source) => source,
            SealError::WrappedKeyDamaged => Self::new(Kind::Corrupt, error.to_string()),
            SealError::WrapFailed => Self::internal(error.to_string()),
            SealError::PgpKeyInvalid(_) | SealError::PgpEncryption(_) => {
                Self::invalid(error.to_string()).with_source(error)
            }
            SealError::NoShares
            | SealError::TooManyShares
            | SealError::NoThreshold
            | SealError::ThresholdOfOne
            | SealError::ThresholdAboveShares
            | SealError::PgpKeyCount
            | SealError::PgpKeyText
            | SealError::PgpKeyCannotEncrypt
            | SealError::ShareText
            | SealError::ShareTooLong
            | SealError::ShareLength(_)
            | SealError::ShareDamaged
            | SealError::DuplicateShare
            | SealError::TooFewShares
            | SealError::ShareRepeated
            | SealError::NonceMissing
            | SealError::NonceWrong
            | SealError::OtpLength
            | SealError::OtpEmpty
            | SealError::TokenText
            | SealError::TokenOtpMismatch
            | SealError::WrongKey => Self::invalid(error.to_string()),
        }
    }
}
