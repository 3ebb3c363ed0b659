//! Bounds on a JSON body, counted in one pass before anything is decoded; and that no name stands twice in an object, where
//! one reader would take the first value, and another the last.

use std::borrow::Cow;
use std::slice::Iter;

use crate::error::{Error, Result};

/// What a JSON body may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct JsonLimits {
    /// Texts, keys included.
    pub(super) strings: u64,
    /// Objects and lists inside each other.
    pub(super) depth: u64,
    /// Bytes of memory that the decoded body may take.
    pub(super) memory: u64,
}

/// Characters of a number, or of anything else outside of texts: no number has so many, and numbers are written to the
/// audit log as they are.
const LONGEST_WORD: u64 = 1024;

/// About what a value takes when it is decoded, beside its text.
const VALUE_BYTES: u64 = 64;

impl JsonLimits {
    /// Refuses a JSON body that is too complex, or ambiguous. Whether it is JSON at all is for the decoder to say.
    pub(super) fn check(self, body: &[u8]) -> Result<()> {
        let (mut strings, mut values, mut word): (u64, u64, u64) = (0, 1, 0);
        let mut nesting = Nesting::default();
        let mut bytes = body.iter();
        while let Some(byte) = bytes.next() {
            word = if is_part_of_word(*byte) { word + 1 } else { 0 };
            if word > LONGEST_WORD {
                return Err(complex("exceeded maximum length of a number"));
            }
            match byte {
                b'"' => {
                    strings += 1;
                    nesting.text(rest_of_text(&mut bytes));
                }
                b'{' | b'[' => {
                    nesting.open(*byte == b'{');
                    if nesting.depth() > self.depth {
                        return Err(complex("exceeded maximum depth"));
                    }
                }
                b'}' | b']' => nesting.close()?,
                b',' => {
                    values += 1;
                    nesting.next();
                }
                b':' => values += 1,
                _ => {}
            }
            if strings > self.strings {
                return Err(complex("exceeded maximum number of strings"));
            }
        }
        self.check_memory(body, values)
    }

    /// Refuses a form of too many fields: each is two texts, as a field of an object is.
    pub(super) fn check_form(self, body: &[u8]) -> Result<()> {
        let fields = body.split(|byte| *byte == b'&').filter(|field| !field.is_empty()).count();
        let texts = u64::try_from(fields).unwrap_or(u64::MAX).saturating_mul(2);
        if texts > self.strings {
            return Err(complex("exceeded maximum number of strings"));
        }
        self.check_memory(body, texts)
    }

    fn check_memory(self, body: &[u8], values: u64) -> Result<()> {
        let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
        if size.saturating_add(values.saturating_mul(VALUE_BYTES)) > self.memory.max(size) {
            return Err(complex("exceeded maximum memory"));
        }
        Ok(())
    }
}

/// What stands between the quotes, the first of which has been read.
fn rest_of_text<'a>(bytes: &mut Iter<'a, u8>) -> &'a [u8] {
    let text = bytes.as_slice();
    let mut length = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
                length += 2;
            }
            b'"' => break,
            _ => length += 1,
        }
    }
    text.get(..length).unwrap_or(text)
}

/// The objects and lists that the pass is in.
#[derive(Default)]
struct Nesting<'a> {
    /// The names that each object has had so far; nothing for a list.
    names: Vec<Option<Vec<Cow<'a, [u8]>>>>,
    /// Whether the next text in an object is a name.
    name_is_next: bool,
}

impl<'a> Nesting<'a> {
    fn depth(&self) -> u64 {
        u64::try_from(self.names.len()).unwrap_or(u64::MAX)
    }

    fn open(&mut self, is_object: bool) {
        self.names.push(is_object.then(Vec::new));
        self.name_is_next = true;
    }

    fn next(&mut self) {
        self.name_is_next = true;
    }

    fn text(&mut self, text: &'a [u8]) {
        if let Some(Some(names)) = self.names.last_mut()
            && self.name_is_next
        {
            names.push(unescaped(text));
        }
        self.name_is_next = false;
    }

    fn close(&mut self) -> Result<()> {
        self.name_is_next = false;
        let mut names = self.names.pop().flatten().unwrap_or_default();
        names.sort_unstable();
        let is_ambiguous = names.iter().zip(names.iter().skip(1)).any(|(name, next)| name == next);
        if is_ambiguous {
            Err(Error::invalid("failed to decode JSON input: an object has the same name twice"))
        } else {
            Ok(())
        }
    }
}

/// A name as it is read: `\u0061` is `a`.
fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return Cow::Borrowed(text);
    }
    let quoted = [b"\"", text, b"\""].concat();
    // What cannot be read is for the decoder to refuse.
    serde_json::from_slice::<String>(&quoted).map_or(Cow::Borrowed(text), |name| Cow::Owned(name.into_bytes()))
}

/// Whether a byte stands in a number, or in `true`, `false` or `null`.
fn is_part_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

fn complex(reason: &str) -> Error {
    Error::invalid(format!("refused JSON input due to high complexity: {reason}"))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    const LIMITS: JsonLimits = JsonLimits { strings: 4, depth: 3, memory: 10_000 };

    #[test]
    fn bounds_hold() {
        assert!(LIMITS.check(br#"{"a":{"b":["c\"[[["]}}"#).is_ok());
        assert!(LIMITS.check(br#"{"a":{"b":[[]]}}"#).is_err());
        assert!(LIMITS.check(br#"["a","b","c","d","e"]"#).is_err());
        assert!(LIMITS.check("0,".repeat(500).as_bytes()).is_err());
        assert!(LIMITS.check(b"\"\\").is_ok());
        assert!(LIMITS.check(format!("{{\"a\":-1.{}e+7}}", "1".repeat(1000)).as_bytes()).is_ok());
        assert!(LIMITS.check(format!("{{\"a\":{}}}", "1".repeat(1025)).as_bytes()).is_err());
        assert!(LIMITS.check(format!("{{\"a\":\"{}\"}}", "1".repeat(5000)).as_bytes()).is_ok());
    }

    #[test]
    fn bounds_hold_for_forms() {
        assert!(LIMITS.check_form(b"&&a=1&&&b&&").is_ok());
        assert!(LIMITS.check_form(b"a=1&b=2&c").is_err());
        assert!(LIMITS.check_form(b"a=1&a=2&a=3").is_err());
        assert!(LIMITS.check_form(format!("a={}", "1".repeat(9000)).as_bytes()).is_ok());
        let limits = JsonLimits { strings: 1000, ..LIMITS };
        assert!(limits.check_form("a&".repeat(80).as_bytes()).is_err(), "they take more memory than that");
    }

    #[test]
    fn a_name_stands_once_in_an_object() {
        let limits = JsonLimits { strings: 100, depth: 10, memory: 100_000 };
        for once in [
            r#"{"a":1,"b":"a","c":["a","a",{"a":1}],"d":{"a":1,"b":2}}"#,
            r#"{"a":{},"A":{}}"#,
            r#"[{"a":1},{"a":1}]"#,
            r#"{"a":"\"","b":"\\","\\":1,"\"":2}"#,
            r#"{"a":[],"b":[1,"a"],"c":"x"}"#,
            "{}",
        ] {
            assert!(limits.check(once.as_bytes()).is_ok(), "{once}");
        }
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":2,"\u0061":3}"#,
            r#"{"x":{"y":[{"b":1,"a":2,"b":3}]}}"#,
            r#"{"a":{"b":{}},"c":[[]],"a":null}"#,
            r#"{"\"":1,"b":"c","\u0022":2}"#,
            r#"{ "a" : "a" , "a" : "b" }"#,
        ] {
            assert!(limits.check(twice.as_bytes()).is_err(), "{twice}");
        }
    }

    proptest! {
        /// As often as a reader that keeps one value for each name has fewer of them than there were.
        #[test]
        fn what_loses_a_name_when_it_is_read_is_refused(names in vec("[ab\\\\\"é]{0,2}", 0..5), nested in any::<bool>()) {
            let text = |name: &String| serde_json::to_string(name).unwrap();
            let fields: Vec<_> = names.iter().map(|name| format!("{}: [{}]", text(name), text(name))).collect();
            let object = format!("{{{}}}", fields.join(", "));
            let kept: Map<String, Value> = serde_json::from_str(&object).unwrap();
            let body = if nested { format!("{{\"x\": [{object}]}}") } else { object };
            let limits = JsonLimits { strings: 100, depth: 10, memory: 100_000 };
            prop_assert_eq!(limits.check(body.as_bytes()).is_ok(), kept.len() == names.len());
        }
    }
}
