//! Vault's loose inputs, parsed at the door: `"30m"` or 1800, `"a,b"` or `["a", "b"]`, `"5"` or 5, `"true"` or true.
//!
//! No message here repeats the value: it may be a secret that landed in the wrong field.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

/// A length of time in whole seconds, at most 2^63 ns (292 years). Reads `"1h30m"`, `"1.5h"`, `"1d"`, `3600`,
/// `"3600"`; `""`, `null` and 0 are zero, which most fields take as «the default». Writes seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ttl(u64);

impl Ttl {
    /// That many seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Whole seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// Whether it is zero, «the default» for most fields.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The same as a [`Duration`].
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// This length, or `other` where this is zero.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        if self.is_zero() { other } else { self }
    }

    /// The shorter of two bounds, of which zero is none.
    #[must_use]
    pub fn shorter(self, other: Self) -> Self {
        if self.is_zero() || other.is_zero() { self.or(other) } else { self.min(other) }
    }

    /// Reads one; the error is a sentence without the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const MALFORMED: &str = "a duration must be a number of seconds or written like 90s, 30m, 1h30m or 1d";
        if text.is_empty() {
            return Ok(Self(0));
        }
        if text.starts_with('-') {
            return Err("a duration must not be negative");
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map_err(|_| "a duration must be at most 292 years").and_then(Self::checked);
        }
        let mut nanos: u128 = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(MALFORMED)?;
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let unit: u128 = match unit {
                "ns" => 1,
                "us" | "µs" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                "d" if tail.is_empty() && digits + 1 == text.len() => 86_400_000_000_000,
                _ => return Err(MALFORMED),
            };
            nanos = nanos.saturating_add(scaled(number, unit).ok_or(MALFORMED)?);
            rest = tail;
        }
        let seconds = u64::try_from(nanos / 1_000_000_000).map_err(|_| "a duration must be at most 292 years")?;
        Self::checked(seconds)
    }

    fn checked(seconds: u64) -> Result<Self, &'static str> {
        const LONGEST: u64 = i64::MAX as u64 / 1_000_000_000;
        if seconds > LONGEST { Err("a duration must be at most 292 years") } else { Ok(Self(seconds)) }
    }
}

/// `number` (digits with at most one point) times `unit`, rounded down.
fn scaled(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || whole.len() > 20 || fraction.len() > 18 {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u128>().ok() };
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    Some(digits(whole)?.checked_mul(unit)? + digits(fraction)?.checked_mul(unit)? / scale)
}

impl<'de> Deserialize<'de> for Ttl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self(0)),
            Value::String(text) => Self::parse(&text).map_err(de::Error::custom),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(seconds), _) => Self::checked(seconds).map_err(de::Error::custom),
                (None, Some(_)) => Err(de::Error::custom("a duration must not be negative")),
                (None, None) => Err(de::Error::custom("a duration in seconds must be a whole number")),
            },
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(de::Error::custom("expected a duration")),
        }
    }
}

impl Serialize for Ttl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

/// A whole number, or text that is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LooseInt(pub i64);

impl<'de> Deserialize<'de> for LooseInt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Value::deserialize(deserializer)? {
            Value::Null => Some(0),
            Value::Number(number) => number.as_i64(),
            Value::String(text) if text.is_empty() => Some(0),
            Value::String(text) => text.parse().ok(),
            Value::Bool(flag) => Some(i64::from(flag)),
            Value::Array(_) | Value::Object(_) => None,
        };
        number.map(Self).ok_or_else(|| de::Error::custom("expected a whole number"))
    }
}

/// `true` or `false`, or text or a number that says so (`"true"`, `"1"`, 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LooseBool(pub bool);

impl LooseBool {
    /// Reads a word for yes or no, as Go does.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(Self(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(Self(false)),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for LooseBool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let flag = match Value::deserialize(deserializer)? {
            Value::Null => Some(false),
            Value::Bool(flag) => Some(flag),
            Value::Number(number) => number.as_f64().map(|number| number != 0.0),
            Value::String(text) if text.is_empty() => Some(false),
            Value::String(text) => Self::parse(&text).map(|flag| flag.0),
            Value::Array(_) | Value::Object(_) => None,
        };
        flag.map(Self).ok_or_else(|| de::Error::custom("expected true or false"))
    }
}

/// Text, or a number taken as its spelling, or a boolean taken as 1 or 0, as Vault does.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LooseText(pub String);

impl<'de> Deserialize<'de> for LooseText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(Value::deserialize(deserializer)?).map(Self).ok_or_else(|| de::Error::custom("expected text"))
    }
}

/// The text of a scalar; nothing for a list or an object.
fn scalar(value: Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(u8::from(flag).to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// `#[serde(deserialize_with = "given")]` for an `Option`: `null` is a value like another, the one that `T` reads in it,
/// and not the same as a field that was left out.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A list of texts, or one text with commas between them; blanks around each are dropped. An empty text is an empty
/// list.
///
/// An item that is blank is one all the same, as in `[""]` or `"a,"`. Who reads the list says what it stands for, since
/// in a list that restricts it must not be as good as no list at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StringList(Vec<String>);

impl StringList {
    /// These texts as they are.
    pub fn new(items: Vec<String>) -> Self {
        Self(items)
    }

    /// Every item, blank ones among them: for lists that restrict.
    pub fn all(self) -> Vec<String> {
        self.0
    }

    /// See [`StringList::all`].
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// The items that are not blank: for lists in which a blank item gives nobody more than they had without it.
    pub fn filled(self) -> Vec<String> {
        self.0.into_iter().filter(|item| !item.is_empty()).collect()
    }
}

impl<'de> Deserialize<'de> for StringList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = match Value::deserialize(deserializer)? {
            Value::Null => Some(Vec::new()),
            Value::Array(items) => items.into_iter().map(scalar).collect(),
            Value::Object(_) => None,
            Value::String(text) if text.is_empty() => Some(Vec::new()),
            value @ (Value::String(_) | Value::Number(_) | Value::Bool(_)) => {
                scalar(value).map(|text| text.split(',').map(str::to_owned).collect())
            }
        };
        let items: Vec<String> = items.ok_or_else(|| de::Error::custom("expected a list of texts"))?;
        Ok(Self(items.iter().map(|item| item.trim().to_owned()).collect()))
    }
}

/// An object whose values are texts (or what [`LooseText`] takes as one), or a list of `"key=value"`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KeyValues(pub BTreeMap<String, String>);

impl<'de> Deserialize<'de> for KeyValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = match Value::deserialize(deserializer)? {
            Value::Null => Some(BTreeMap::new()),
            Value::Object(fields) => fields.into_iter().map(|(key, value)| Some((key, scalar(value)?))).collect(),
            Value::Array(items) => items.into_iter().map(pair).collect(),
            Value::String(text) if text.is_empty() => Some(BTreeMap::new()),
            Value::String(text) => text.split(',').map(|item| pair(Value::String(item.to_owned()))).collect(),
            Value::Number(_) | Value::Bool(_) => None,
        };
        pairs.map(Self).ok_or_else(|| de::Error::custom("expected an object whose values are texts"))
    }
}

fn pair(item: Value) -> Option<(String, String)> {
    let text = scalar(item)?;
    let (key, value) = text.split_once('=')?;
    Some((key.trim().to_owned(), value.trim().to_owned()))
}

macro_rules! loose_schema {
    ($($name:ident: $schema:tt),+ $(,)?) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

loose_schema! {
    Ttl: {"type": ["string", "integer"], "description": "seconds, or text like 30m"},
    LooseInt: {"type": ["integer", "string"]},
    LooseBool: {"type": ["boolean", "string"]},
    LooseText: {"type": "string"},
    StringList: {"type": ["array", "string"], "items": {"type": "string"}},
    KeyValues: {"type": "object", "additionalProperties": {"type": "string"}},
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ttl(json: &str) -> Option<u64> {
        serde_json::from_str::<Ttl>(json).ok().map(Ttl::seconds)
    }

    #[test]
    fn durations_as_vault_reads_them() {
        for (json, seconds) in [
            ("\"1h\"", 3600),
            ("3600", 3600),
            ("\"3600\"", 3600),
            ("\"1h30m\"", 5400),
            ("\"1.5h\"", 5400),
            ("\"1d\"", 86400),
            ("\"500ms\"", 0),
            ("\"\"", 0),
            ("null", 0),
            ("0", 0),
        ] {
            assert_eq!(ttl(json), Some(seconds), "{json}");
        }
        for json in ["\"1w\"", "\"1y\"", "1.5", "\"1 h\"", "\"abc\"", "-1", "\"-1h\"", "\"h\"", "\".\"", "true", "[1]"]
        {
            assert_eq!(ttl(json), None, "{json}");
        }
        assert_eq!(ttl("99999999999999999999"), None);
        assert_eq!(ttl("\"9999999999999999999h\""), None);
    }

    #[test]
    fn lists_and_pairs() {
        let list = |json| serde_json::from_str::<StringList>(json).unwrap().0;
        assert_eq!(list("\"a, b,,c\""), ["a", "b", "", "c"]);
        assert_eq!(list("[\"a\", 1]"), ["a", "1"]);
        for nothing in ["\"\"", "[]", "null"] {
            assert_eq!(list(nothing), [""; 0], "{nothing}");
        }
        for blank in ["\" \"", "[\"\"]", "[\" \"]", "[null]"] {
            assert_eq!(list(blank), [""], "{blank}");
            assert_eq!(StringList(list(blank)).filled(), [""; 0], "{blank}");
        }
        assert_eq!(list("\"a,\""), ["a", ""]);
        let pairs = |json| serde_json::from_str::<KeyValues>(json).map(|pairs| pairs.0);
        assert_eq!(pairs("{\"a\": 1}").unwrap()["a"], "1");
        assert_eq!(pairs("[\"a=b\"]").unwrap()["a"], "b");
        assert!(pairs("{\"a\": {}}").is_err());
    }

    #[test]
    fn scalars_are_texts() {
        let text = |json| serde_json::from_str::<LooseText>(json).map(|text| text.0);
        for (json, expected) in
            [("\"a\"", "a"), ("12345", "12345"), ("-5", "-5"), ("true", "1"), ("false", "0"), ("null", "")]
        {
            assert_eq!(text(json).unwrap(), expected, "{json}");
        }
        assert!(text("[]").is_err() && text("{}").is_err());
    }

    #[test]
    fn null_is_given_and_nothing_is_not() {
        #[derive(Deserialize)]
        struct Asked {
            #[serde(default, deserialize_with = "given")]
            list: Option<StringList>,
        }
        let list = |json| serde_json::from_str::<Asked>(json).unwrap().list;
        assert_eq!(list("{\"list\": null}"), Some(StringList::default()));
        assert_eq!(list("{}"), None);
    }

    #[test]
    fn messages_do_not_repeat_the_value() {
        let error = serde_json::from_str::<Ttl>("\"hunter2\"").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
