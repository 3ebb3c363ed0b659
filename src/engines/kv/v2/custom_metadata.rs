//! What the owners of a secret say about it: a few short texts by name.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// The most names.
const MAX_NAMES: usize = 64;
/// The longest name, in bytes.
const MAX_NAME_LEN: usize = 128;
/// The longest text, in bytes.
const MAX_TEXT_LEN: usize = 512;

/// Custom metadata as a caller sends them: an object, or `null` for none. Numbers become their spelling, booleans 1 and
/// 0; `null` under a name removes it where they are merged.
#[derive(Debug, Default)]
pub(super) struct CustomMetadata {
    texts: BTreeMap<String, Option<String>>,
    /// Whether `null` was sent in place of an object.
    cleared: bool,
}

impl CustomMetadata {
    /// These in place of what was there; nothing where there are none.
    pub(super) fn replacing(self) -> Result<Option<BTreeMap<String, String>>> {
        let texts = self.texts.into_iter().map(|(name, text)| (name, text.unwrap_or_default()));
        checked(texts.collect())
    }

    /// These merged into what is there.
    pub(super) fn merged_into(self, old: Option<BTreeMap<String, String>>) -> Result<Option<BTreeMap<String, String>>> {
        let Self { texts, cleared } = self;
        let mut merged = if cleared { BTreeMap::new() } else { old.unwrap_or_default() };
        for (name, text) in texts {
            match text {
                Some(text) => merged.insert(name, text),
                None => merged.remove(&name),
            };
        }
        checked(merged)
    }
}

impl<'de> Deserialize<'de> for CustomMetadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Option::deserialize(deserializer)?;
        let cleared = given.is_none();
        let Given(texts) = given.unwrap_or_default();
        let texts = texts.into_iter().map(|(name, raw)| Ok((name, text_of(raw.get())?)));
        let texts = texts.collect::<Result<_, &str>>().map_err(de::Error::custom)?;
        Ok(Self { texts, cleared })
    }
}

/// The object as it came. An empty list is an empty object: so PHP and Lua write one.
#[derive(Default)]
struct Given(BTreeMap<String, Box<RawValue>>);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: Box<RawValue> = Box::deserialize(deserializer)?;
        if serde_json::from_str::<[(); 0]>(raw.get()).is_ok() {
            return Ok(Self::default());
        }
        serde_json::from_str(raw.get()).map(Self).map_err(de::Error::custom)
    }
}

impl JsonSchema for CustomMetadata {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CustomMetadata".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": {"type": "string"}})
    }
}

/// The text of one JSON value; nothing for `null`.
fn text_of(json: &str) -> Result<Option<String>, &'static str> {
    const MALFORMED: &str = "custom_metadata validation failed: every value must be text";
    match json.bytes().next() {
        Some(b'"') => serde_json::from_str(json).map(Some).map_err(|_| MALFORMED),
        Some(b'{' | b'[') | None => Err(MALFORMED),
        Some(b'n') => Ok(None),
        Some(b't') => Ok(Some("1".to_owned())),
        Some(b'f') => Ok(Some("0".to_owned())),
        Some(_) => Ok(Some(json.to_owned())),
    }
}

/// The metadata if they keep to the limits; nothing where there are none.
fn checked(metadata: BTreeMap<String, String>) -> Result<Option<BTreeMap<String, String>>> {
    if metadata.len() > MAX_NAMES {
        return refused("it must have at most 64 keys");
    }
    for (name, text) in &metadata {
        if name.is_empty() || name.len() > MAX_NAME_LEN {
            return refused("the length of a key must be from 1 to 128 bytes");
        }
        if text.is_empty() || text.len() > MAX_TEXT_LEN {
            return refused("the length of a value must be from 1 to 512 bytes");
        }
        if !name.chars().chain(text.chars()).all(is_printable) {
            return refused("a key or a value contains unprintable characters");
        }
    }
    Ok(Some(metadata).filter(|metadata| !metadata.is_empty()))
}

fn refused<T>(reason: &str) -> Result<T> {
    Err(Error::invalid(format!("custom_metadata validation failed: {reason}")))
}

/// Whether a reader sees the character: no control character, no white space but the space itself, none of the
/// characters that change how their neighbours are shown, none of private use.
fn is_printable(character: char) -> bool {
    let hidden = matches!(
        character,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E000}'..='\u{F8FF}' | '\u{E0000}'..='\u{10FFFF}'
    );
    character == ' ' || !(hidden || character.is_control() || character.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> CustomMetadata {
        serde_json::from_str(json).unwrap()
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn scalars_become_text() {
        let metadata = read(r#"{"a":"x","b":1.50,"c":true,"d":false,"e":1e3,"ü":"two words"}"#).replacing().unwrap();
        let expected = [("a", "x"), ("b", "1.50"), ("c", "1"), ("d", "0"), ("e", "1e3"), ("ü", "two words")];
        assert_eq!(metadata, Some(map(&expected)));
        for json in [r#"{"a":{}}"#, r#"{"a":[1]}"#, "[\"a=b\"]", "\"a=b\"", "1", r#"{"a":"\ud800"}"#] {
            assert!(serde_json::from_str::<CustomMetadata>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn none_are_none() {
        assert_eq!(read("{}").replacing().unwrap(), None);
        assert_eq!(read("null").replacing().unwrap(), None);
        assert_eq!(read("[ ]").replacing().unwrap(), None);
        assert_eq!(read("[]").merged_into(Some(map(&[("a", "1")]))).unwrap(), Some(map(&[("a", "1")])));
        assert_eq!(read("null").merged_into(Some(map(&[("a", "1")]))).unwrap(), None);
    }

    #[test]
    fn merging_keeps_changes_and_removes() {
        let old = Some(map(&[("a", "1"), ("b", "2"), ("c", "3")]));
        let merged = read(r#"{"a":null,"b":"9","d":4,"e":null}"#).merged_into(old.clone()).unwrap();
        assert_eq!(merged, Some(map(&[("b", "9"), ("c", "3"), ("d", "4")])));
        assert_eq!(read("{}").merged_into(old.clone()).unwrap(), old);
    }

    #[test]
    fn limits_hold_and_complaints_repeat_nothing() {
        let long = "k".repeat(MAX_TEXT_LEN);
        let name = "k".repeat(MAX_NAME_LEN);
        assert!(read(&format!("{{{name:?}:{long:?}}}")).replacing().is_ok());
        let many: BTreeMap<String, u32> = (0..=64).map(|number| (format!("k{number}"), number)).collect();
        for json in [
            format!("{{\"v\":\"{long}k\"}}"),
            format!("{{\"{name}k\":\"v\"}}"),
            serde_json::to_string(&many).unwrap(),
            r#"{"hunter2":""}"#.to_owned(),
            r#"{"hunter2":null}"#.to_owned(),
            r#"{"":"hunter2"}"#.to_owned(),
            r#"{"a":"hunter2\u0001"}"#.to_owned(),
            r#"{"hunter2\n":"a"}"#.to_owned(),
            r#"{"hunter2":"\u202e"}"#.to_owned(),
        ] {
            let message = read(&json).replacing().unwrap_err().to_string();
            assert!(message.contains("custom_metadata validation failed") && !message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn the_limits_hold_for_what_is_merged() {
        let old: BTreeMap<_, _> = (0..64).map(|number| (format!("k{number}"), "v".to_owned())).collect();
        assert!(read(r#"{"one more":"v"}"#).merged_into(Some(old.clone())).is_err());
        assert!(read(r#"{"one more":"v","k0":null}"#).merged_into(Some(old)).is_ok());
    }
}
