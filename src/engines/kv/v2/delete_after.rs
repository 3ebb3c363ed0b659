//! `DeleteAfter`: the setting by which versions delete themselves.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::api::Ttl;

/// After what time new versions delete themselves. Reads what [`Ttl`] reads, and a negative length for «never».
/// Serialises as seconds, and is shown like `1h30m0s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DeleteAfter {
    /// Not said here.
    #[default]
    Unset,
    /// Never, whatever a secret says. Only for a whole mount.
    Never,
    /// After this time, which is not zero.
    After(Ttl),
}

impl DeleteAfter {
    /// The time, if there is one.
    pub(super) fn length(self) -> Option<Ttl> {
        match self {
            Self::Unset | Self::Never => None,
            Self::After(ttl) => Some(ttl),
        }
    }

    fn after(ttl: Ttl) -> Self {
        if ttl.is_zero() { Self::Unset } else { Self::After(ttl) }
    }

    fn before(ttl: Ttl) -> Self {
        if ttl.is_zero() { Self::Unset } else { Self::Never }
    }
}

impl<'de> Deserialize<'de> for DeleteAfter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let negative = match &value {
            Value::String(text) => text.strip_prefix('-').map(Ttl::parse),
            Value::Number(number) => number.as_i64().filter(|seconds| *seconds < 0).map(|_| Ok(Ttl::from_seconds(1))),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        match negative {
            Some(length) => length.map(Self::before).map_err(de::Error::custom),
            None => Ttl::deserialize(value).map(Self::after).map_err(de::Error::custom),
        }
    }
}

impl Serialize for DeleteAfter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unset => serializer.serialize_u64(0),
            Self::Never => serializer.serialize_i64(-1),
            Self::After(ttl) => ttl.serialize(serializer),
        }
    }
}

impl fmt::Display for DeleteAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = match self {
            Self::Unset => 0,
            Self::Never => return f.write_str("-1s"),
            Self::After(ttl) => ttl.seconds(),
        };
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if seconds >= 60 {
            write!(f, "{minutes}m")?;
        }
        write!(f, "{}s", seconds % 60)
    }
}

impl JsonSchema for DeleteAfter {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DeleteAfter".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "integer"], "description": "seconds, or text like 30m; negative is never"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_shown_and_stored() {
        for (json, shown) in [
            ("\"3h25m19s\"", "3h25m19s"),
            ("\"1d\"", "24h0m0s"),
            ("90", "1m30s"),
            ("\"1h\"", "1h0m0s"),
            ("\"\"", "0s"),
            ("0", "0s"),
            ("\"0s\"", "0s"),
            ("\"-0s\"", "0s"),
            ("\"500ms\"", "0s"),
            ("\"-1h\"", "-1s"),
            ("-5", "-1s"),
            ("59", "59s"),
        ] {
            let length: DeleteAfter = serde_json::from_str(json).unwrap();
            assert_eq!(length.to_string(), shown, "{json}");
            let stored = serde_json::to_string(&length).unwrap();
            assert_eq!(serde_json::from_str::<DeleteAfter>(&stored).unwrap(), length);
        }
    }

    #[test]
    fn what_is_no_length_is_refused_without_being_repeated() {
        for json in ["\"hunter2\"", "\"-hunter2\"", "1.5", "-1.5", "true", "[1]", "{}", "\"--1s\"", "\"-\\u0000\""] {
            let error = serde_json::from_str::<DeleteAfter>(json).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
