//! Statements as callers send them: a list, or one text. Unlike other lists a comma does not part them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// Statements, each of which may hold several with semicolons between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statements(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Statements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = match Value::deserialize(deserializer)? {
            Value::Null => Some(Vec::new()),
            Value::String(text) if text.trim().is_empty() => Some(Vec::new()),
            Value::String(text) => Some(vec![text]),
            Value::Array(items) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) => Some(text),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
                })
                .collect(),
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        };
        items.map(Self).ok_or_else(|| de::Error::custom("expected statements: text, or a list of texts"))
    }
}

impl JsonSchema for Statements {
    fn schema_name() -> Cow<'static, str> {
        "Statements".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["array", "string"], "items": {"type": "string"}})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_do_not_part_statements() {
        let read = |json| serde_json::from_str::<Statements>(json).map(|statements| statements.0);
        assert_eq!(read("\"GRANT a, b\"").unwrap(), ["GRANT a, b"]);
        assert_eq!(read("[\"a, b\", \"c\"]").unwrap(), ["a, b", "c"]);
        assert_eq!(read("\"\"").unwrap(), [""; 0]);
        assert!(read("[1]").is_err());
    }
}
