//! `Body`: what came with a request, as the text of one JSON object.

use std::collections::BTreeMap;
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
        Ok(Self(SecretBytes::new(json)))
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
        serde_json::from_slice(self.json()).map_err(|error| self.complaint::<T>(&error))
    }

    /// The fields of the object, in the order of their names. Of two fields of the same name the last one counts.
    pub fn fields(&self) -> Result<Vec<(String, &RawValue)>> {
        let fields: BTreeMap<String, &RawValue> =
            serde_json::from_slice(self.json()).map_err(|error| self.complaint::<serde_json::Map<_, _>>(&error))?;
        Ok(fields.into_iter().collect())
    }

    fn complaint<T: DeserializeOwned>(&self, error: &serde_json::Error) -> Error {
        if error.is_syntax() || error.is_eof() {
            let place = format!("line {} column {}", error.line(), error.column());
            return Error::invalid(format!("failed to decode JSON input: the text is not valid JSON at {place}"));
        }
        let text = without_place(error);
        // serde's own sentences about a wrong type repeat the value, which may be a secret in the wrong field.
        let quotes = ["invalid type", "invalid value", "invalid length", "unknown variant"];
        let reason = if quotes.iter().any(|start| text.starts_with(start)) { "it has the wrong type" } else { &*text };
        match self.faulty_field::<T>(&text) {
            Some(field) => Error::invalid(format!("Field validation failed: field {field:?}: {reason}")),
            None => Error::invalid(format!("Field validation failed: {reason}")),
        }
    }

    /// The top-level field that alone leads to the same complaint. The place in the text would not tell: the fields of a
    /// flattened part are read only after all others.
    fn faulty_field<T: DeserializeOwned>(&self, complaint: &str) -> Option<String> {
        if complaint.starts_with("missing field") {
            return None;
        }
        let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(self.json()).ok()?;
        let is_faulty = |(name, value): &(String, &RawValue)| {
            let alone = Self::of(&BTreeMap::from([(name, value)])).ok();
            let outcome = alone.map(|body| serde_json::from_slice::<T>(body.json()));
            outcome.is_some_and(|outcome| outcome.is_err_and(|error| *without_place(&error) == *complaint))
        };
        fields.into_iter().find(is_faulty).map(|(name, _)| name)
    }
}

/// What serde says, without the line and the column. It may repeat a value: wiped on drop.
fn without_place(error: &serde_json::Error) -> Zeroizing<String> {
    let text = Zeroizing::new(error.to_string());
    Zeroizing::new(text.split(" at line ").next().unwrap_or_default().to_owned())
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
        Body::new(SecretBytes::new(text.as_bytes().to_vec())).decode()
    }

    #[test]
    fn nothing_is_an_empty_object() {
        assert!(decode("").unwrap().ttl.is_zero());
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Nested {
        name: String,
        #[serde(flatten)]
        asked: Inner,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Inner {
        ttl: Ttl,
    }

    #[test]
    fn complaints_name_the_field_of_a_flattened_part() {
        let body = Body::new(SecretBytes::new(br#"{"ttl":"hunter2","name":"x"}"#.to_vec()));
        let message = body.decode::<Nested>().unwrap_err().to_string();
        assert!(message.contains("\"ttl\"") && !message.contains("hunter2"), "{message}");
        let body = Body::new(SecretBytes::new(br#"{"ttl":"1h","name":"x"}"#.to_vec()));
        let nested = body.decode::<Nested>().unwrap();
        assert_eq!((nested.name.as_str(), nested.asked.ttl.seconds()), ("x", 3600));
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
