//! Keys of fixed length, one type per purpose, filled in place so that they never lie on the stack.

use std::fmt;

use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretSlice};

use crate::entropy::Entropy;
use crate::error::{Error, Result};

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(SecretBox<[u8; 32]>);

        impl $name {
            /// A new random key.
            pub fn generate(entropy: &dyn Entropy) -> Result<Self> {
                let mut key = SecretBox::new(Box::new([0; 32]));
                entropy.fill(key.expose_secret_mut())?;
                Ok(Self(key))
            }

            /// A key out of its 32 bytes; any other length is refused.
            pub fn from_slice(bytes: &[u8]) -> Result<Self> {
                if bytes.len() != 32 {
                    return Err(Error::corrupt("a key must have 32 bytes"));
                }
                let mut key = SecretBox::new(Box::new([0; 32]));
                key.expose_secret_mut().copy_from_slice(bytes);
                Ok(Self(key))
            }

            /// The raw key, for the files that do cryptography.
            pub fn expose(&self) -> &[u8; 32] {
                self.0.expose_secret()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

key!(
    /// Encrypts the keyring. It is at rest only as the shares of it, or encrypted under a [`SealKey`].
    RootKey
);
key!(
    /// What the shares combine to; it encrypts the root key.
    SealKey
);
key!(
    /// Encrypts records: one term of the keyring.
    BarrierKey
);
key!(
    /// Hashes the strings of the audit log.
    AuditKey
);
key!(
    /// Hashes tokens and accessors for storage, and encrypts batch tokens.
    TokenKey
);
key!(
    /// Hashes records for the barrier's ledger: which record is there, and as it was written last.
    LedgerKey
);

/// One operator's part of a seal key, or of a recovery key: 33 bytes for a key of 32 (the last is its x coordinate).
pub struct Share(SecretSlice<u8>);

impl Share {
    /// A share out of its bytes. Whether it has the right form is for [`crate::seal`] to say.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    /// The raw share, for the files that do cryptography and for handing it to its operator.
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Share")
    }
}
