//! Types for what must not leak: no `Clone`, no `==`, no content in `Debug`, no `Serialize`, wiped on drop.
//!
//! A secret leaves its type in three ways only, each of which can be searched for: [`at_rest`] in a stored record,
//! [`on_wire`] in a reply, and `expose` in the files that do cryptography.

mod bytes;
mod json;
mod keys;
mod text;

pub use bytes::SecretBytes;
pub use json::SecretJson;
pub use keys::{AuditKey, BarrierKey, LedgerKey, RootKey, SealKey, Share, TokenKey};
pub use text::{ClientToken, SecretText};

use serde::{Deserialize, Deserializer, Serializer, de};
use subtle::ConstantTimeEq;

/// Whether two byte strings are equal, in a time that depends on their lengths only.
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// A secret that can be written as text.
pub trait Exposed: Sized {
    /// The secret as text; `None` where it is not text, which for the types here does not happen.
    fn exposed(&self) -> &str;
    /// The secret out of its text.
    fn concealed(text: String) -> Self;
}

/// `#[serde(with = "secret::at_rest")]`: the secret goes into a record, which the barrier encrypts.
pub mod at_rest {
    use super::{Deserialize, Deserializer, Exposed, Serializer};

    /// Writes the secret in clear into the record.
    pub fn serialize<T: Exposed, S: Serializer>(secret: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.exposed())
    }

    /// Reads the secret back.
    pub fn deserialize<'de, T: Exposed, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        String::deserialize(deserializer).map(T::concealed)
    }
}

/// `#[serde(serialize_with = "secret::on_wire")]`: the secret goes to the caller who asked for it.
pub fn on_wire<T: Exposed, S: Serializer>(secret: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.exposed())
}

/// Deserialises a secret that a caller sent as text.
fn from_wire<'de, T: Exposed, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    match String::deserialize(deserializer) {
        Ok(text) => Ok(T::concealed(text)),
        // The usual message would repeat the value.
        Err(_) => Err(de::Error::custom("expected text")),
    }
}
