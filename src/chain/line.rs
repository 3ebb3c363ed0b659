//! One line of the chain: how it ends, and what its hash covers.

use std::fmt;

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

use super::ChainError;

/// The SHA-256 hash of a line. The line before the first has the hash of all zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LineHash([u8; SHA256_OUTPUT_LEN]);

impl LineHash {
    /// What the first line of a chain follows.
    pub const GENESIS: Self = Self([0; SHA256_OUTPUT_LEN]);

    /// Reads 64 lower-case hexadecimal digits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        if text.len() != HEX_LEN || HEXLOWER.decode_mut(text, &mut bytes).is_err() {
            return None;
        }
        Some(Self(bytes))
    }

    /// The hash of a line, given its text up to its hash member, without the closing brace.
    fn of(prev: Self, unfinished: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&prev.0);
        context.update(unfinished);
        context.update(b"}");
        let mut hash = [0; SHA256_OUTPUT_LEN];
        hash.copy_from_slice(context.finish().as_ref());
        Self(hash)
    }

    fn append_hex(self, out: &mut Vec<u8>) {
        let mut hex = [0; HEX_LEN];
        HEXLOWER.encode_mut(&self.0, &mut hex);
        out.extend_from_slice(&hex);
    }
}

impl fmt::Display for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A place in a chain: the sequence number of a line (the first is 1) and its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The line's sequence number.
    pub seq: u64,
    /// The line's hash.
    pub hash: LineHash,
}

impl Link {
    /// The place before the first line.
    pub const GENESIS: Self = Self { seq: 0, hash: LineHash::GENESIS };
}

/// The name of the node that writes a log: 1 to 64 characters out of `A-Z a-z 0-9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeId(String);

impl NodeId {
    /// Reads a name.
    pub fn new(text: impl Into<String>) -> Result<Self, ChainError> {
        let text = text.into();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if text.is_empty() || text.len() > Self::MAX_LEN || !text.bytes().all(fits) {
            return Err(ChainError::NodeName);
        }
        Ok(Self(text))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    const MAX_LEN: usize = 64;
}

/// Finishes the line that begins at `start` in `out` and has everything but the chain's members and its closing brace.
pub(super) fn finish(out: &mut Vec<u8>, start: usize, before: Link, node: &NodeId) -> Link {
    let seq = before.seq + 1;
    finish_as(out, start, seq, before.hash, node)
}

/// The same, for a line whose sequence number does not follow: a resume line after lost ones.
pub(super) fn finish_as(out: &mut Vec<u8>, start: usize, seq: u64, prev: LineHash, node: &NodeId) -> Link {
    out.extend_from_slice(SEQ);
    let mut digits = [0; 20];
    out.extend_from_slice(decimal(seq, &mut digits));
    out.extend_from_slice(NODE);
    out.extend_from_slice(node.0.as_bytes());
    out.extend_from_slice(PREV);
    prev.append_hex(out);
    out.push(b'"');
    let hash = LineHash::of(prev, out.get(start..).unwrap_or_default());
    out.extend_from_slice(HASH);
    hash.append_hex(out);
    out.extend_from_slice(b"\"}\n");
    Link { seq, hash }
}

fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut first = digits.len();
    for (index, digit) in digits.iter_mut().enumerate().rev() {
        // A remainder of ten fits a byte.
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        first = index;
        if number == 0 {
            break;
        }
    }
    digits.get(first..).unwrap_or_default()
}

/// What a line says about itself at its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending<'a> {
    pub(super) seq: u64,
    pub(super) node: &'a str,
    pub(super) prev: LineHash,
    /// The hash that stands on the line.
    pub(super) stated: LineHash,
    /// The hash that it should have.
    pub(super) actual: LineHash,
}

impl<'a> Ending<'a> {
    /// Reads the end of a line (without its newline); nothing for what is no line of a chain.
    pub(super) fn of(line: &'a [u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\"}")?;
        let (unfinished, stated) = split_hex(line, HASH)?;
        let (head, prev) = split_hex(unfinished.strip_suffix(b"\"")?, PREV)?;
        // The node's name has no quotes, so the last member name before it is the one.
        let node_start = rfind(head, NODE)?;
        let node = std::str::from_utf8(head.get(node_start + NODE.len()..)?).ok()?;
        let head = head.get(..node_start)?;
        let digits = head.get(rfind(head, SEQ)? + SEQ.len()..)?;
        let seq = std::str::from_utf8(digits).ok().filter(|digits| is_canonical(digits))?.parse().ok()?;
        NodeId::new(node).ok()?;
        Some(Self { seq, node, prev, stated, actual: LineHash::of(prev, unfinished) })
    }

    /// Whether the line is as it was written, as far as it alone can tell.
    pub(super) fn is_genuine(&self) -> bool {
        self.stated == self.actual
    }

    pub(super) fn link(&self) -> Link {
        Link { seq: self.seq, hash: self.stated }
    }
}

/// Whether a sequence number is written in its only spelling.
fn is_canonical(digits: &str) -> bool {
    !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn split_hex<'a>(text: &'a [u8], member: &[u8]) -> Option<(&'a [u8], LineHash)> {
    let (head, hex) = text.split_at_checked(text.len().checked_sub(HEX_LEN)?)?;
    Some((head.strip_suffix(member)?, LineHash::parse(hex)?))
}

/// Where `needle` last begins, looking at the end only: no member here is longer than a node's name.
fn rfind(text: &[u8], needle: &[u8]) -> Option<usize> {
    let skipped = text.len().saturating_sub(NodeId::MAX_LEN + 32);
    let tail = text.get(skipped..)?;
    tail.windows(needle.len()).rposition(|window| window == needle).map(|index| skipped + index)
}

const HEX_LEN: usize = 64;
const SEQ: &[u8] = b",\"seq\":";
const NODE: &[u8] = b",\"node\":\"";
const PREV: &[u8] = b"\",\"prev\":\"";
const HASH: &[u8] = b",\"hash\":\"";

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> NodeId {
        NodeId::new("n1").unwrap()
    }

    fn line(body: &str, before: Link) -> (String, Link) {
        let mut out = b"earlier\n".to_vec();
        let start = out.len();
        out.extend_from_slice(body.as_bytes());
        let link = finish(&mut out, start, before, &node());
        (String::from_utf8(out[start..].to_vec()).unwrap(), link)
    }

    #[test]
    fn the_vectors_of_the_document() {
        let (first, link) = line(r#"{"type":"request""#, Link::GENESIS);
        let (second, _) = line(r#"{"type":"response","error":"é""#, link);
        let document = include_str!("../../docs/audit.md");
        assert!(document.contains(first.trim_end()), "{first}");
        assert!(document.contains(second.trim_end()), "{second}");
    }

    #[test]
    fn an_ending_is_read_back() {
        let before = Link { seq: u64::MAX - 1, hash: LineHash([7; 32]) };
        let (text, link) = line(r#"{"seq":1,"node":"x","prev":"","hash":"""#, before);
        let ending = Ending::of(text.trim_end().as_bytes()).unwrap();
        assert_eq!((ending.seq, ending.node, ending.prev), (u64::MAX, "n1", before.hash));
        assert_eq!(ending.link(), link);
        assert!(ending.is_genuine());
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }

    #[test]
    fn the_longest_ending_is_read_back() {
        let node = NodeId::new("n".repeat(NodeId::MAX_LEN)).unwrap();
        let mut line = b"{\"a\":1".to_vec();
        let link = finish(&mut line, 0, Link { seq: u64::MAX - 1, hash: LineHash([7; 32]) }, &node);
        let ending = Ending::of(line.trim_ascii_end()).unwrap();
        assert_eq!((ending.link(), ending.node), (link, node.as_str()));
    }

    #[test]
    fn every_changed_byte_and_every_truncation_shows() {
        let (text, _) = line(r#"{"type":"request","path":"a""#, Link::GENESIS);
        let bytes = text.trim_end().as_bytes();
        for index in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[index] ^= 1;
            assert!(!Ending::of(&changed).is_some_and(|ending| ending.is_genuine()), "{index}");
            assert!(!Ending::of(&bytes[..index]).is_some_and(|ending| ending.is_genuine()), "{index}");
            assert!(!Ending::of(&bytes[index + 1..]).is_some_and(|ending| ending.is_genuine()), "{index}");
        }
    }

    #[test]
    fn a_second_spelling_of_a_number_is_refused() {
        let (text, _) = line("{\"a\":1", Link::GENESIS);
        for spelling in ["\"seq\":01", "\"seq\":+1", "\"seq\": 1", "\"seq\":0", "\"seq\":18446744073709551616"] {
            assert!(Ending::of(text.trim_end().replace("\"seq\":1", spelling).as_bytes()).is_none(), "{spelling}");
        }
    }

    #[test]
    fn node_names_are_checked() {
        for bad in ["", "a b", "a\"", "é", &"a".repeat(65)] {
            assert!(NodeId::new(bad).is_err());
        }
        assert!(NodeId::new("Node-1.example_x").is_ok());
    }
}
