//! `Body`: what came with a request, as the text of one JSON object.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::secret::SecretBytes;

/// The body of a write, or the query of a read, as the text of one JSON object. Wiped on drop.
#[derive(Default)]
pub struct Body(SecretBytes);

impl Body {
    /// A body out of the text of a JSON object; empty text is the empty object.
    pub fn new(json: SecretBytes) -> Self {
        Self(json)
    }

    /// A body out of a value that serialises as an object.
    pub fn of<T: serde::Serialize>(value: &T) -> Result<Self> {
        let json = serde_json::to_vec(value).map_err(|_| Error::internal("a body cannot be written"))?;
        Ok(Self(Zeroizing::new(json)))
    }

    /// The text; `{}` where nothing was sent.
    pub fn json(&self) -> &[u8] {
        if self.0.is_empty() { b"{}" } else { &self.0 }
    }

    /// Whether nothing was sent.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The body as the type that an endpoint asks for. The error names the field and never repeats its value.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(self.json()).map_err(|error| self.complaint(&error))
    }

    /// The fields of the object, in the order of their names. Of two fields of the same name the last one counts.
    pub fn fields(&self) -> Result<Vec<(String, &RawValue)>> {
        let fields: std::collections::BTreeMap<String, &RawValue> =
            serde_json::from_slice(self.json()).map_err(|error| self.complaint(&error))?;
        Ok(fields.into_iter().collect())
    }

    fn complaint(&self, error: &serde_json::Error) -> Error {
        if error.is_syntax() || error.is_eof() {
            let place = format!("line {} column {}", error.line(), error.column());
            return Error::invalid(format!("failed to decode JSON input: the text is not valid JSON at {place}"));
        }
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or_default();
        // serde's own sentences about a wrong type repeat the value, which may be a secret in the wrong field.
        let quotes = ["invalid type", "invalid value", "invalid length", "unknown variant"];
        let reason = if quotes.iter().any(|start| text.starts_with(start)) { "it has the wrong type" } else { text };
        match self.field_before(error.line(), error.column()) {
            Some(field) => Error::invalid(format!("Field validation failed: field {field:?}: {reason}")),
            None => Error::invalid(format!("Field validation failed: {reason}")),
        }
    }

    /// The top-level field whose value ends last before that place.
    fn field_before(&self, line: usize, column: usize) -> Option<String> {
        let json = self.json();
        let newlines = json.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(index, _)| index + 1);
        let start = line.checked_sub(2).map_or(Some(0), |skipped| newlines.into_iter().nth(skipped))?;
        let fault = start + column;
        let fields: std::collections::HashMap<String, &RawValue> = serde_json::from_slice(json).ok()?;
        let begins = |raw: &RawValue| (raw.get().as_ptr() as usize).saturating_sub(json.as_ptr() as usize);
        let before = fields.into_iter().filter(|(_, raw)| begins(raw) <= fault);
        before.max_by_key(|(_, raw)| begins(raw)).map(|(name, _)| name)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{LooseInt, Ttl};
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct Asked {
        ttl: Ttl,
        uses: LooseInt,
        name: String,
    }

    fn decode(text: &str) -> Result<Asked> {
        Body::new(Zeroizing::new(text.as_bytes().to_vec())).decode()
    }

    #[test]
    fn nothing_is_an_empty_object() {
        assert!(decode("").unwrap().ttl.is_zero());
    }

    #[test]
    fn complaints_name_the_field_and_not_the_value() {
        for (text, field) in [
            (r#"{"name":"x","ttl":"hunter2"}"#, "ttl"),
            (r#"{"ttl":"1h","name":{"hunter2":1}}"#, "name"),
            ("{\n\"uses\": \"hunter2\",\n \"name\":\"x\"}", "uses"),
            (r#"{"name":true}"#, "name"),
        ] {
            let message = decode(text).unwrap_err().to_string();
            assert!(message.contains(field), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
        let message = decode(r#"{"name": "hunter2"#).unwrap_err().to_string();
        assert!(message.contains("failed to decode JSON input") && !message.contains("hunter2"));
    }
}
