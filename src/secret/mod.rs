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

use std::fmt;

use serde::de::Visitor;
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

/// Deserialises a secret that a caller sent as text, or as a whole number or a boolean, which stand for the texts that
/// Vault reads in them. A number with a fraction or an exponent is refused: the spelling that was sent is lost here, and a
/// secret must be what its owner wrote.
fn from_wire<'de, T: Exposed, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    // The usual message would repeat the value.
    let refused = |_| de::Error::custom("expected text; put what is no whole number in quotes");
    deserializer.deserialize_any(Wire).map(T::concealed).map_err(refused)
}

/// Reads a scalar as text.
struct Wire;

impl Visitor<'_> for Wire {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<String, E> {
        Ok(u8::from(flag).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_booleans_are_texts() {
        let text = |json: &str| serde_json::from_str::<SecretText>(json).map(|secret| secret.expose().to_owned());
        for (json, expected) in [
            ("\"hunter2\"", "hunter2"),
            ("\"\\u0041\"", "A"),
            ("12345", "12345"),
            ("-5", "-5"),
            ("18446744073709551615", "18446744073709551615"),
            ("true", "1"),
            ("false", "0"),
        ] {
            assert_eq!(text(json).unwrap(), expected, "{json}");
        }
        for json in ["1.50", "1e3", "18446744073709551616", "-0", "[]", "[\"hunter2\"]", "{\"hunter2\":1}", "null"] {
            let error = text(json).unwrap_err().to_string();
            assert!(error.starts_with("expected text") && !error.contains("hunter2"), "{json}: {error}");
        }
    }
}
