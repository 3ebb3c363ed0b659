//! A request's body, at the door: JSON is taken if another reader finds it within the limits, and no name twice in it.
#![no_main]

use std::collections::BTreeSet;
use std::fmt;

use libfuzzer_sys::fuzz_target;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

const STRINGS: u64 = 24;
const DEPTH: u64 = 6;
/// A number may have so many characters.
const LONGEST_WORD: usize = 1024;

fuzz_target!(|bytes: &[u8]| {
    let taken = arca::http::fuzz_body(bytes, STRINGS, DEPTH, 1 << 20);
    let mut found = Found::default();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    if Reader(&mut found, 0).deserialize(&mut json).is_err() || json.end().is_err() {
        return;
    }
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    if bytes.split(|byte| !is_part(byte)).any(|word| word.len() > LONGEST_WORD) {
        return;
    }
    let text = bytes.trim_ascii();
    let is_object = text.starts_with(b"{") || text == b"null";
    let is_within = found.strings <= STRINGS && found.depth <= DEPTH;
    assert_eq!(taken, is_object && is_within && !found.twice);
});

/// What a body has.
#[derive(Default)]
struct Found {
    strings: u64,
    depth: u64,
    twice: bool,
}

/// Counts a value at so many levels.
struct Reader<'a>(&'a mut Found, u64);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.0.strings += 1;
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.0.depth = self.0.depth.max(self.1 + 1);
        while list.next_element_seed(Reader(self.0, self.1 + 1))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        self.0.depth = self.0.depth.max(self.1 + 1);
        let mut names = BTreeSet::new();
        while let Some(name) = object.next_key::<String>()? {
            self.0.strings += 1;
            self.0.twice |= !names.insert(name);
            object.next_value_seed(Reader(self.0, self.1 + 1))?;
        }
        Ok(())
    }
}
