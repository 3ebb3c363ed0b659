//! Bounds on a JSON body, counted in one pass before anything is decoded.

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
    /// Refuses a body that is too complex. Whether it is JSON at all is for the decoder to say.
    pub(super) fn check(self, body: &[u8]) -> Result<()> {
        let (mut strings, mut depth, mut values, mut word): (u64, u64, u64, u64) = (0, 0, 1, 0);
        let mut bytes = body.iter();
        while let Some(byte) = bytes.next() {
            word = if is_part_of_word(*byte) { word + 1 } else { 0 };
            if word > LONGEST_WORD {
                return Err(complex("exceeded maximum length of a number"));
            }
            match byte {
                b'"' => {
                    strings += 1;
                    while let Some(inner) = bytes.next() {
                        match inner {
                            b'\\' => {
                                bytes.next();
                            }
                            b'"' => break,
                            _ => {}
                        }
                    }
                }
                b'{' | b'[' => {
                    depth += 1;
                    if depth > self.depth {
                        return Err(complex("exceeded maximum depth"));
                    }
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                b',' | b':' => values += 1,
                _ => {}
            }
            if strings > self.strings {
                return Err(complex("exceeded maximum number of strings"));
            }
        }
        let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
        if size.saturating_add(values.saturating_mul(VALUE_BYTES)) > self.memory.max(size) {
            return Err(complex("exceeded maximum memory"));
        }
        Ok(())
    }
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
}
