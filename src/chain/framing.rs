//! Lines of other formats: how a recorded line gets into one, and how it is found there again.
//!
//! Every line has the recorded line in it as its last part, up to its end: as it is (`json`), as the last member of an
//! object (`ecs`: `arca`, `ocsf`: `unmapped`), or as the last extension of a CEF line, with `\\` and `=` escaped.

use std::borrow::Cow;

use memchr::{memchr, memmem};

/// Turns a recorded line, without its end, into one of another format, which lacks the same end.
pub type Framing = fn(line: &[u8], out: &mut Vec<u8>);

/// Appends a value of a CEF extension: `\\`, `=` and the ends of lines are escaped.
pub fn escape_cef(value: &[u8], out: &mut Vec<u8>) {
    for byte in value {
        match byte {
            b'\\' => out.extend_from_slice(br"\\"),
            b'=' => out.extend_from_slice(br"\="),
            b'\n' => out.extend_from_slice(br"\n"),
            b'\r' => out.extend_from_slice(br"\r"),
            byte => out.push(*byte),
        }
    }
}

/// The object on a line: the outermost one of the JSON formats, the recorded line on a CEF line.
pub(super) fn object(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    // A prefix has neither a brace nor the mark of CEF in it.
    let brace = memchr(b'{', line)?;
    if memmem::find(line.get(..brace)?, CEF).is_none() {
        return line.get(brace..).map(Cow::Borrowed);
    }
    // No value has an `=` that is not escaped, so this is where the extension begins.
    let start = memmem::find(line, CEF_RECORDED)? + CEF_RECORDED.len() - 1;
    Some(unescape_cef(line.get(start..)?))
}

fn unescape_cef(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\\', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((head, [_, escaped, tail @ ..])) = memchr(b'\\', rest).and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(head);
        out.push(match escaped {
            b'n' => b'\n',
            b'r' => b'\r',
            other => *other,
        });
        rest = tail;
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

const CEF: &[u8] = b"CEF:";
const CEF_RECORDED: &[u8] = b" arca={";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_object_is_found_in_every_format() {
        let found = |line: &str| object(line.as_bytes()).map(|object| String::from_utf8(object.into_owned()).unwrap());
        assert_eq!(found("@cee: {\"a\":1}").unwrap(), "{\"a\":1}");
        assert_eq!(found("{\"a\":\"CEF:0| arca={\"}").unwrap(), "{\"a\":\"CEF:0| arca={\"}");
        assert_eq!(
            found(r#"x CEF:0|A|b|1|c|n|2|rt=1 request=/{ arca\={ arca={"a":"\=\\n"}"#).unwrap(),
            r#"{"a":"=\n"}"#
        );
        assert_eq!(found("CEF:0|A|b|1|c|{|2|rt=1"), None);
        assert_eq!(found("nothing"), None);
    }

    proptest! {
        #[test]
        fn what_was_escaped_is_read_back(value: Vec<u8>, tail: Vec<u8>) {
            let mut out = Vec::new();
            escape_cef(&value, &mut out);
            prop_assert!(!out.contains(&b'\n'));
            prop_assert_eq!(unescape_cef(&out).into_owned(), value);
            unescape_cef(&tail);
            object(&tail);
        }
    }
}
