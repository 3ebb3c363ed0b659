//! Redaction of JSON text: every string is replaced by its hash; names, numbers, booleans and null stay.
//!
//! One pass over the bytes, without a tree of values, so that the secrets of a body are not copied about.

use data_encoding::HEXLOWER;
use memchr::memchr2;
use ring::hmac;
use zeroize::Zeroizing;

use crate::secret::AuditKey;

/// Hashes strings under one device's key, which is prepared once.
#[derive(Debug)]
pub struct Hasher(hmac::Key);

impl Hasher {
    /// A hasher under `key`.
    pub fn new(key: &AuditKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    /// `hmac-sha256:` and the hash in hexadecimal, as Vault writes it.
    pub fn hash(&self, text: &[u8]) -> String {
        let mut out = Vec::with_capacity(HASH_LEN);
        self.append(text, &mut out);
        // Only ASCII was appended.
        String::from_utf8(out).unwrap_or_default()
    }

    /// Appends the same to `out`.
    pub(super) fn append(&self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"hmac-sha256:");
        let mut hex = [0; 64];
        HEXLOWER.encode_mut(hmac::sign(&self.0, text).as_ref(), &mut hex);
        out.extend_from_slice(&hex);
    }

    /// Appends `json` with every string hashed, except directly under an object's member whose name is one of `plain`
    /// (at any depth, and through lists). White space is dropped. A text that is no JSON is hashed as a whole.
    pub fn redact(&self, json: &[u8], plain: &[String], out: &mut Vec<u8>) {
        let start = out.len();
        let mut scan = Scan { rest: json, hasher: self, plain, out };
        if std::str::from_utf8(json).is_err() || scan.document().is_none() {
            out.truncate(start);
            out.push(b'"');
            self.append(json, out);
            out.push(b'"');
        }
    }
}

const HASH_LEN: usize = 76;
/// Deeper texts are hashed as a whole.
const MAX_DEPTH: usize = 128;

struct Scan<'a> {
    rest: &'a [u8],
    hasher: &'a Hasher,
    plain: &'a [String],
    out: &'a mut Vec<u8>,
}

/// A list or object that is open, and whether strings directly in it stay.
enum Frame {
    List { plain: bool },
    Object,
}

/// What has to come next.
enum Next {
    Value { plain: bool },
    After,
}

impl<'a> Scan<'a> {
    /// Copies the whole text; nothing if it is no JSON.
    fn document(&mut self) -> Option<()> {
        let mut frames: Vec<Frame> = Vec::new();
        let mut next = Next::Value { plain: false };
        loop {
            next = match next {
                Next::Value { plain } => self.value(plain, &mut frames)?,
                Next::After => match frames.last() {
                    None => return if self.peek().is_none() { Some(()) } else { None },
                    Some(Frame::List { plain }) => {
                        let plain = *plain;
                        if self.after_item(b']', &mut frames)? { Next::Value { plain } } else { Next::After }
                    }
                    Some(Frame::Object) => {
                        if self.after_item(b'}', &mut frames)? {
                            Next::Value { plain: self.name()? }
                        } else {
                            Next::After
                        }
                    }
                },
            };
        }
    }

    /// Copies a scalar, or opens a list or an object.
    fn value(&mut self, plain: bool, frames: &mut Vec<Frame>) -> Option<Next> {
        match self.peek()? {
            b'"' => {
                let quoted = self.quoted()?;
                let text = content(quoted)?;
                if plain {
                    self.out.extend_from_slice(quoted);
                } else {
                    self.hashed(&text);
                }
                Some(Next::After)
            }
            b'[' => {
                self.take();
                self.out.push(b'[');
                if frames.len() == MAX_DEPTH {
                    return None;
                }
                if self.peek()? == b']' {
                    self.take();
                    self.out.push(b']');
                    return Some(Next::After);
                }
                frames.push(Frame::List { plain });
                Some(Next::Value { plain })
            }
            b'{' => {
                self.take();
                self.out.push(b'{');
                if frames.len() == MAX_DEPTH {
                    return None;
                }
                if self.peek()? == b'}' {
                    self.take();
                    self.out.push(b'}');
                    return Some(Next::After);
                }
                frames.push(Frame::Object);
                Some(Next::Value { plain: self.name()? })
            }
            _ => {
                let length = self.rest.iter().take_while(|byte| !b" \t\r\n,]}".contains(byte)).count();
                let (scalar, rest) = self.rest.split_at_checked(length)?;
                if !matches!(scalar, b"true" | b"false" | b"null") && !is_number(scalar) {
                    return None;
                }
                self.out.extend_from_slice(scalar);
                self.rest = rest;
                Some(Next::After)
            }
        }
    }

    /// Copies the comma (true) or the bracket that closes (false) after an item.
    fn after_item(&mut self, closing: u8, frames: &mut Vec<Frame>) -> Option<bool> {
        let byte = self.peek()?;
        self.take();
        self.out.push(byte);
        if byte == closing {
            frames.pop();
            return Some(false);
        }
        (byte == b',').then_some(true)
    }

    /// Copies a member's name and its colon. Whether strings under it stay.
    fn name(&mut self) -> Option<bool> {
        if self.peek()? != b'"' {
            return None;
        }
        let quoted = self.quoted()?;
        let name = content(quoted)?;
        let plain = self.plain.iter().any(|plain| plain.as_bytes() == name.as_bytes());
        self.out.extend_from_slice(quoted);
        if self.peek()? != b':' {
            return None;
        }
        self.take();
        self.out.push(b':');
        Some(plain)
    }

    fn hashed(&mut self, text: &Text<'_>) {
        self.out.push(b'"');
        self.hasher.append(text.as_bytes(), self.out);
        self.out.push(b'"');
    }

    /// The string that begins here, with its quotes. Its escapes are checked when it is decoded.
    fn quoted(&mut self) -> Option<&'a [u8]> {
        let inside = self.rest.get(1..)?;
        let mut end = 0;
        while let Some(found) = memchr2(b'"', b'\\', inside.get(end..)?) {
            end += found;
            if inside.get(end) == Some(&b'"') {
                let (quoted, rest) = self.rest.split_at_checked(end + 2)?;
                self.rest = rest;
                // Control characters are escaped in JSON.
                let is_text = quoted.iter().fold(true, |is_text, byte| is_text & (*byte >= b' '));
                return is_text.then_some(quoted);
            }
            end += 2;
        }
        None
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let blanks = self.rest.iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
        self.rest = self.rest.get(blanks..).unwrap_or_default();
        self.rest.first().copied()
    }

    fn take(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }
}

/// The text of a string with its quotes.
fn content(quoted: &[u8]) -> Option<Text<'_>> {
    if quoted.contains(&b'\\') {
        return serde_json::from_slice(quoted).ok().map(|text| Text::Decoded(Zeroizing::new(text)));
    }
    let inside = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    std::str::from_utf8(inside).ok().map(Text::AsSent)
}

/// A string's text; a decoded copy is wiped.
enum Text<'a> {
    AsSent(&'a str),
    Decoded(Zeroizing<String>),
}

impl Text<'_> {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::AsSent(text) => text.as_bytes(),
            Self::Decoded(text) => text.as_bytes(),
        }
    }
}

/// RFC 8259, section 6.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text.starts_with(b"0")) {
        return false;
    }
    let mut rest = text.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = fraction.get(count..).unwrap_or_default();
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn hasher() -> Hasher {
        Hasher::new(&AuditKey::from_slice(&[7; 32]).unwrap())
    }

    fn redact(json: &str, plain: &[&str]) -> String {
        let plain: Vec<String> = plain.iter().map(|&name| name.to_owned()).collect();
        let mut out = b"before".to_vec();
        hasher().redact(json.as_bytes(), &plain, &mut out);
        String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned()
    }

    /// The same, the slow way.
    fn expected(value: &Value, plain: bool, names: &[&str]) -> Value {
        match value {
            Value::String(text) if !plain => Value::String(hasher().hash(text.as_bytes())),
            Value::Array(items) => items.iter().map(|item| expected(item, plain, names)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), expected(value, names.contains(&name.as_str()), names)))
                .collect(),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    #[test]
    fn a_known_hash() {
        // RFC 4231, test case 2, with its key filled up to 32 bytes by zeros, which HMAC does itself.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let hash = Hasher::new(&AuditKey::from_slice(&key).unwrap()).hash(b"what do ya want for nothing?");
        assert_eq!(hash, "hmac-sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn strings_are_hashed_and_nothing_else() {
        let text = r#" { "a" : "x" , "n" : 1.50 , "b" : [ true , null , "y" , { } , [ ] ] , "e" : "" } "#;
        let [x, y, e] = ["x", "y", ""].map(|text| hasher().hash(text.as_bytes()));
        assert_eq!(redact(text, &[]), format!(r#"{{"a":"{x}","n":1.50,"b":[true,null,"{y}",{{}},[]],"e":"{e}"}}"#));
        assert_eq!(redact("\"x\"", &[]), format!("\"{x}\""));
        assert_eq!(redact("-1.5e+3", &[]), "-1.5e+3");
    }

    #[test]
    fn named_members_stay_as_the_peer_keeps_them() {
        let text = r#"{"foo":"bar","l":["x",{"foo":"in","y":"z"}],"foo2":{"foo":"deep"},"z":["a",["b"],{"k":"v"}]}"#;
        let value: Value = serde_json::from_str(&redact(text, &["foo", "z"])).unwrap();
        let hash = |text: &str| hasher().hash(text.as_bytes());
        assert_eq!(
            value,
            json!({"foo": "bar", "l": [hash("x"), {"foo": "in", "y": hash("z")}], "foo2": {"foo": "deep"},
                   "z": ["a", ["b"], {"k": hash("v")}]})
        );
        // An object under a named member is not covered by the name; an escaped name is the same name.
        assert_eq!(redact(r#"{"foo":{"x":"y"}}"#, &["foo"]), format!(r#"{{"foo":{{"x":"{}"}}}}"#, hash("y")));
        assert_eq!(redact(r#"{"\u0066oo":"x"}"#, &["foo"]), r#"{"\u0066oo":"x"}"#);
    }

    #[test]
    fn escapes_are_decoded_before_hashing() {
        assert_eq!(
            redact(r#""\u00e9<&>\n\ud83d\ude00""#, &[]),
            format!("\"{}\"", hasher().hash("é<&>\n😀".as_bytes()))
        );
    }

    #[test]
    fn what_is_no_json_is_hashed_as_a_whole() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "nul",
            "01",
            "1.",
            "1e",
            "+1",
            "--1",
            ".5",
            "\"",
            "\"\\\"",
            "\"\n\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "1 2",
            "{}}",
            "]",
            "[1 2]",
            "{\"secret\":\"hunter2\"",
            "NaN",
            &deep,
        ] {
            let plain = ["secret"];
            assert_eq!(redact(text, &plain), format!("\"{}\"", hasher().hash(text.as_bytes())), "{text}");
        }
        let mut out = Vec::new();
        hasher().redact(b"\"\xff\"", &[], &mut out);
        assert!(out.starts_with(b"\"hmac-sha256:"));
    }

    fn value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        scalar.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-d\"\\\\é]{0,3}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_does_what_the_slow_way_does(value in value(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let names = ["a", "bc"];
            let redacted = redact(&text, &names);
            prop_assert!(!redacted.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<Value>(&redacted).unwrap(), expected(&value, false, &names));
        }

        #[test]
        fn no_string_of_the_input_is_in_the_output(secret in "zZ[g-zG-Z0-9 \"\\\\é]{4,20}", value in value(), cut in 0_usize..400) {
            let text = json!({"a": [secret.clone(), {"b": secret.clone()}], "v": value, "c": secret.clone()}).to_string();
            let cut = text.char_indices().map(|(index, _)| index).take_while(|index| *index <= cut).last().unwrap_or(0);
            for text in [text.as_str(), &text[..cut]] {
                prop_assert!(!redact(text, &[]).contains(&secret));
            }
        }

        #[test]
        fn any_bytes_become_one_json_value(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut out = Vec::new();
            hasher().redact(&bytes, &["a".to_owned()], &mut out);
            prop_assert!(serde_json::from_slice::<Value>(&out).is_ok());
            prop_assert!(!out.contains(&b'\n'));
        }
    }
}
