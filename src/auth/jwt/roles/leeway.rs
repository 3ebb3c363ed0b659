//! `Leeway`: a length of time that can be switched off.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::api::Ttl;

/// Seconds, or text like `5m`; anything below 0 switches it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leeway(pub(super) i64);

impl<'de> Deserialize<'de> for Leeway {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let negative = match &value {
            Value::Number(number) => number.as_i64().filter(|seconds| *seconds < 0),
            Value::String(text) => text.parse().ok().filter(|seconds: &i64| *seconds < 0),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let seconds = match negative {
            Some(seconds) => seconds,
            None => i64::try_from(Ttl::deserialize(value).map_err(de::Error::custom)?.seconds()).unwrap_or(i64::MAX),
        };
        Ok(Self(seconds))
    }
}

impl JsonSchema for Leeway {
    fn schema_name() -> Cow<'static, str> {
        "Leeway".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "integer"], "description": "seconds, or text like 30m; -1 is none"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_can_be_switched_off() {
        let read = |json: &str| serde_json::from_str::<Leeway>(json).ok().map(|leeway| leeway.0);
        for (json, seconds) in [("-1", -1), ("\"-1\"", -1), ("\"5m\"", 300), ("60", 60), ("null", 0), ("\"\"", 0)] {
            assert_eq!(read(json), Some(seconds), "{json}");
        }
        for json in ["\"-5m\"", "\"x\"", "[1]", "1.5", "true"] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
