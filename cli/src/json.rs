//! JSON whose numbers keep their spelling and whose text is wiped when it is dropped.
//!
//! A general JSON type would turn 12345678901234567890123 into a float, and leave every secret in freed memory.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// How deep values may nest; a server that sends more is refused.
const MAX_DEPTH: usize = 128;

/// A JSON value. Maps keep the order in which they came.
#[derive(PartialEq)]
pub(crate) enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it was spelt.
    Number(Zeroizing<String>),
    /// A string, without its quotes and escapes.
    Text(Zeroizing<String>),
    /// `[…]`
    List(Vec<Self>),
    /// `{…}`
    Map(Vec<(String, Self)>),
}

impl Json {
    /// Reads one value; the message of a failure does not repeat the text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| describe(&error))?;
        Self::of_raw(raw, 0)
    }

    fn of_raw(raw: &RawValue, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err("the values nest too deeply".to_owned());
        }
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text).map_err(|error| describe(&error))?;
                let mut map = Self::Map(Vec::with_capacity(members.len()));
                for (key, value) in members {
                    map.set(&key, Self::of_raw(value, depth + 1)?);
                }
                Ok(map)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| describe(&error))?;
                items.into_iter().map(|item| Self::of_raw(item, depth + 1)).collect::<Result<_, _>>().map(Self::List)
            }
            Some(b'"') => serde_json::from_str::<String>(text).map(Self::text).map_err(|error| describe(&error)),
            Some(b't') => Ok(Self::Bool(true)),
            Some(b'f') => Ok(Self::Bool(false)),
            Some(b'n') | None => Ok(Self::Null),
            Some(_) => Ok(Self::Number(Zeroizing::new(text.to_owned()))),
        }
    }

    /// A string.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(Zeroizing::new(text.into()))
    }

    /// A number.
    pub(crate) fn number(number: i64) -> Self {
        Self::Number(Zeroizing::new(number.to_string()))
    }

    /// A list of strings.
    pub(crate) fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Self::text).collect())
    }

    /// A map with these members, in this order.
    pub(crate) fn map<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Map(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Puts a member into a map, in place of one of the same name. Anything that is not a map stays as it is.
    pub(crate) fn set(&mut self, key: &str, value: Self) {
        let Self::Map(members) = self else { return };
        match members.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => members.push((key.to_owned(), value)),
        }
    }

    /// The member of a map; nothing for a missing member, or if this is not a map.
    pub(crate) fn at(&self, key: &str) -> Option<&Self> {
        self.members().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The member of a map if it is there and not null.
    pub(crate) fn some(&self, key: &str) -> Option<&Self> {
        self.at(key).filter(|value| **value != Self::Null)
    }

    /// Takes a member out of a map; null if it is not there.
    pub(crate) fn take(&mut self, key: &str) -> Self {
        let Self::Map(members) = self else { return Self::Null };
        match members.iter().position(|(name, _)| name == key) {
            Some(index) => members.remove(index).1,
            None => Self::Null,
        }
    }

    /// The members of a map; none for anything else.
    pub(crate) fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Map(members) => members,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => &[],
        }
    }

    /// The members of a map, sorted by their names.
    pub(crate) fn sorted_members(&self) -> Vec<(&str, &Self)> {
        let mut members: Vec<_> = self.members().iter().map(|(key, value)| (key.as_str(), value)).collect();
        members.sort_unstable_by_key(|(key, _)| *key);
        members
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Map(_) => &[],
        }
    }

    /// The text of a string; nothing for anything else.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// A whole number; nothing for anything else.
    pub(crate) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.parse().ok(),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The text of the member `key`, empty if there is none.
    pub(crate) fn text_at(&self, key: &str) -> &str {
        self.at(key).and_then(Self::as_text).unwrap_or_default()
    }

    /// The whole number at the member `key`, 0 if there is none.
    pub(crate) fn integer_at(&self, key: &str) -> i64 {
        self.at(key).and_then(Self::as_integer).unwrap_or_default()
    }

    /// Whether the member `key` is true.
    pub(crate) fn is_true_at(&self, key: &str) -> bool {
        self.at(key) == Some(&Self::Bool(true))
    }

    /// The strings of the list at the member `key`.
    pub(crate) fn texts_at(&self, key: &str) -> Vec<&str> {
        self.at(key).map(Self::items).unwrap_or_default().iter().filter_map(Self::as_text).collect()
    }

    /// The same value with the members of all maps in the order of their names.
    pub(crate) fn sorted(self) -> Self {
        match self {
            Self::Map(mut members) => {
                members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
                Self::Map(members.into_iter().map(|(key, value)| (key, value.sorted())).collect())
            }
            Self::List(items) => Self::List(items.into_iter().map(Self::sorted).collect()),
            other @ (Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_)) => other,
        }
    }

    /// A copy, for the few places that show a secret twice.
    pub(crate) fn copy(&self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Bool(value) => Self::Bool(*value),
            Self::Number(number) => Self::Number(number.clone()),
            Self::Text(text) => Self::Text(text.clone()),
            Self::List(items) => Self::List(items.iter().map(Self::copy).collect()),
            Self::Map(members) => Self::Map(members.iter().map(|(key, value)| (key.clone(), value.copy())).collect()),
        }
    }

    /// The value as JSON on one line.
    pub(crate) fn compact(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        self.write(&mut text, None);
        text
    }

    /// The value as JSON with two spaces of indent, and no newline at the end.
    pub(crate) fn pretty(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        self.write(&mut text, Some(0));
        text
    }

    fn write(&self, out: &mut String, indent: Option<usize>) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => out.push_str(number),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                write_all(items, ['[', ']'], out, indent, Self::write);
            }
            Self::Map(members) => write_all(members, ['{', '}'], out, indent, |(key, value), out, inner| {
                write_text(key, out);
                out.push_str(if inner.is_some() { ": " } else { ":" });
                value.write(out, inner);
            }),
        }
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Json")
    }
}

fn write_all<T>(
    all: &[T],
    [open, close]: [char; 2],
    out: &mut String,
    indent: Option<usize>,
    write: impl Fn(&T, &mut String, Option<usize>),
) {
    out.push(open);
    let inner = indent.map(|depth| depth + 1);
    for (index, one) in all.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        new_line(out, inner);
        write(one, out, inner);
    }
    if !all.is_empty() {
        new_line(out, indent);
    }
    out.push(close);
}

fn new_line(out: &mut String, indent: Option<usize>) {
    if let Some(depth) = indent {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    }
}

/// Writes a JSON string (RFC 8259, section 7).
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// What is wrong and where, without the text around it.
fn describe(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "the JSON ends too early",
        serde_json::error::Category::Syntax => "this is not JSON",
        serde_json::error::Category::Data => "the JSON has another form than expected",
        serde_json::error::Category::Io => "the JSON cannot be read",
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

/// The members of a JSON object, not yet read.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Self)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
            if members.len() > 1_000_000 {
                return Err(de::Error::custom("too many members"));
            }
            members.push((Cow::Owned(key), value));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_keep_their_spelling_and_maps_their_order() {
        let text = r#"{"b":12345678901234567890123,"a":[1.0,2e3,-0],"c":null,"d":{},"e":[]}"#;
        assert_eq!(*Json::parse(text).unwrap().compact(), text);
    }

    #[test]
    fn the_last_of_two_members_of_one_name_counts() {
        assert_eq!(*Json::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap().compact(), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn pretty_indents_by_two_and_leaves_empty_ones_on_their_line() {
        let value = Json::parse(r#"{"a":[1,{"b":true}],"c":{},"d":[]}"#).unwrap();
        let expected = "{\n  \"a\": [\n    1,\n    {\n      \"b\": true\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}";
        assert_eq!(*value.pretty(), expected);
    }

    #[test]
    fn errors_do_not_repeat_the_text() {
        let error = Json::parse("{\"password\": hunter2}").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        assert!(Json::parse("{\"a\":1} x").is_err());
        assert!(Json::parse("").is_err());
    }

    #[test]
    fn too_deep_a_value_is_refused() {
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        assert!(Json::parse(&deep).is_err());
        let shallow = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(Json::parse(&shallow).is_ok());
    }

    proptest! {
        #[test]
        fn text_survives(text in any::<String>()) {
            let value = Json::text(text.clone());
            prop_assert_eq!(serde_json::from_str::<String>(&value.compact()).unwrap(), text);
        }

        #[test]
        fn any_input_is_read_or_refused(text in "[\\[\\]{}\",:0-9a-z \\\\]{0,40}") {
            if let Ok(value) = Json::parse(&text) {
                let again = Json::parse(&value.pretty()).unwrap();
                prop_assert!(again == value);
            }
        }
    }
}
