//! What can be told of a line without reading all of it.

use crate::time::Timestamp;

/// When the entry on a line was made, if the line begins as JSON with its time.
pub(in crate::audit::sinks) fn time(line: &[u8]) -> Option<Timestamp> {
    let start = line.iter().take(MAX_PREFIX).position(|byte| *byte == b'{')?;
    let rest = line.get(start..)?.strip_prefix(br#"{"time":""#)?;
    let end = rest.iter().take(MAX_TIME).position(|byte| *byte == b'"')?;
    Timestamp::parse(std::str::from_utf8(rest.get(..end)?).ok()?)
}

/// The hash of a line of the chain, as it stands at its end: 64 hexadecimal digits.
pub(in crate::audit::sinks) fn hash(line: &[u8]) -> Option<&str> {
    let (head, hash) = line.strip_suffix(b"\"}")?.split_last_chunk::<64>()?;
    let is_hex = head.ends_with(b",\"hash\":\"") && hash.iter().all(u8::is_ascii_hexdigit);
    std::str::from_utf8(hash).ok().filter(|_| is_hex)
}

/// A line as one JSON value: as it is if it is a JSON object, else as a text.
pub(in crate::audit::sinks) fn json_value(line: &[u8], out: &mut Vec<u8>) {
    let is_object = line.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
    if is_object { out.extend_from_slice(line) } else { json_text(line, out) }
}

/// A line as a JSON text.
pub(in crate::audit::sinks) fn json_text(line: &[u8], out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(line);
    let before = out.len();
    if serde_json::to_writer(&mut *out, &text).is_err() {
        // Texts into memory: it does not happen.
        out.truncate(before);
    }
}

/// A prefix has at most 256 bytes.
const MAX_PREFIX: usize = 257;
const MAX_TIME: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_hash_are_found_where_they_stand() {
        let hash_text = "0123456789abcdef".repeat(4);
        let line = format!(r#"x {{"time":"2023-11-14T22:13:20Z","a":1,"hash":"{hash_text}"}}"#);
        assert_eq!(time(line.as_bytes()), Some(Timestamp::from_unix_seconds(1_700_000_000)));
        assert_eq!(hash(line.as_bytes()), Some(hash_text.as_str()));
        for index in 0..line.len() {
            let cut = &line.as_bytes()[..index];
            assert_eq!(hash(cut), None);
            let _ = time(cut);
        }
        assert_eq!(time(br#"{"type":"request","time":"2023-11-14T22:13:20Z"}"#), None);
    }

    #[test]
    fn what_is_no_object_becomes_a_text() {
        let value = |line: &str| {
            let mut out = Vec::new();
            json_value(line.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(value(r#"{"a":1}"#), r#"{"a":1}"#);
        assert_eq!(value(r#"x {"a":1}"#), r#""x {\"a\":1}""#);
        assert_eq!(value("{torn"), r#""{torn""#);
        assert_eq!(value("[1]"), r#""[1]""#);
    }
}
