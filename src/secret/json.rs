//! A secret document, kept as the JSON text that its owner sent.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::bytes::wipe;

/// JSON text that is carried from socket to store and back without being taken apart: numbers keep their spelling,
/// and there is one buffer to wipe. It serialises as itself, so it may stand in records and in replies only.
pub struct SecretJson(Option<Box<RawValue>>);

impl SecretJson {
    /// The text.
    pub fn expose(&self) -> &str {
        self.0.as_deref().map_or("null", RawValue::get)
    }

    /// Whether this is the JSON value `null`.
    pub fn is_null(&self) -> bool {
        self.expose() == "null"
    }

    /// Whether this is a JSON object.
    pub fn is_object(&self) -> bool {
        self.expose().starts_with('{')
    }

    /// The same text a second time, in a buffer of its own.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(self.0.clone())
    }

    /// Whether this is a JSON object without a field.
    pub fn is_empty_object(&self) -> bool {
        let inner = self.expose().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        inner.is_some_and(|inner| inner.trim_ascii().is_empty())
    }

    /// JSON out of any value that can be written as such.
    pub fn of<T: Serialize>(value: &T) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(value).map(|raw| Self(Some(raw)))
    }
}

impl Drop for SecretJson {
    fn drop(&mut self) {
        if let Some(raw) = self.0.take() {
            wipe(&mut Box::<str>::from(raw).into_string().into_bytes());
        }
    }
}

impl fmt::Debug for SecretJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretJson")
    }
}

impl Serialize for SecretJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SecretJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(Some(raw)))
    }
}

impl JsonSchema for SecretJson {
    fn schema_name() -> Cow<'static, str> {
        "SecretJson".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_spelling() {
        let text = r#"{"a":12345678901234567890123,"b":1.50,"c":1e3}"#;
        let json: SecretJson = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&json).unwrap(), text);
        assert_eq!(format!("{json:?}"), "SecretJson");
    }

    #[test]
    fn an_object_without_a_field_is_empty() {
        for (text, empty) in [("{}", true), (" { \n} ", true), ("{\"a\":{}}", false), ("[]", false), ("null", false)] {
            let json: SecretJson = serde_json::from_str(text).unwrap();
            assert_eq!(json.is_empty_object(), empty, "{text}");
        }
    }
}
