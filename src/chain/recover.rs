//! What an existing log ends in, so that a writer can go on after it.

use std::io::{self, Read, Seek, SeekFrom};

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};

use super::line::Ending;
use super::record::Record;
use super::{Link, NodeId, Reason};

/// The end of a log as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The last whole line; [`Link::GENESIS`] if there is none.
    pub last: Link,
    /// Who wrote it.
    pub node: Option<NodeId>,
    /// What stands behind it and is no whole line.
    pub torn: Option<Torn>,
    /// Whether the last byte is not a newline, so that one has to be written before anything else.
    pub unterminated: bool,
    /// Whether the log is empty or ends in a checkpoint for closing or rotating: nothing was lost.
    pub closed: bool,
    /// Whether the log's file is empty, and `last` is the end of the one that was put away before it.
    pub archived: bool,
}

/// Bytes that are no whole line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// How many, the last newline not counted.
    pub bytes: u64,
    /// Their SHA-256 hash in hexadecimal.
    pub sha256: String,
}

impl Recovered {
    /// The end of an empty log.
    pub fn nothing() -> Self {
        Self { last: Link::GENESIS, node: None, torn: None, unterminated: false, closed: true, archived: false }
    }

    /// An empty file that goes on after `last`, which is the end of the file before it.
    pub fn after(last: Link) -> Self {
        Self { last, ..Self::nothing() }
    }
}

/// Reads a log from its end backwards until a whole line is found. Reads no more than that, and what is behind it.
pub fn recover(log: &mut (impl Read + Seek)) -> io::Result<Recovered> {
    let length = log.seek(SeekFrom::End(0))?;
    let mut end = length;
    let mut unterminated = false;
    if length > 0 {
        let last_byte = bytes(log, length - 1, length)?;
        unterminated = last_byte != b"\n";
        end = if unterminated { length } else { length - 1 };
    }
    let content_end = end;
    while end > 0 {
        let start = line_start(log, end)?;
        if end - start <= MAX_LINE {
            let line = bytes(log, start, end)?;
            if let Some(ending) = Ending::of(&line).filter(Ending::is_genuine) {
                let torn = if end == content_end { None } else { Some(torn(log, end + 1, content_end)?) };
                let closed = torn.is_none() && closes(&line);
                let node = NodeId::new(ending.node).ok();
                let last = ending.link();
                return Ok(Recovered { last, node, torn, unterminated, closed, archived: false });
            }
        }
        end = start.saturating_sub(1);
    }
    let torn = if length > 0 { Some(torn(log, 0, content_end)?) } else { None };
    Ok(Recovered { torn, unterminated, closed: length == 0, ..Recovered::nothing() })
}

/// Where the line begins that ends at `end`.
fn line_start(log: &mut (impl Read + Seek), end: u64) -> io::Result<u64> {
    let mut block_end = end;
    while block_end > 0 {
        let block_start = block_end.saturating_sub(BLOCK);
        let block = bytes(log, block_start, block_end)?;
        if let Some(newline) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(block_start + newline as u64 + 1);
        }
        block_end = block_start;
    }
    Ok(0)
}

fn torn(log: &mut (impl Read + Seek), start: u64, end: u64) -> io::Result<Torn> {
    let mut context = Context::new(&SHA256);
    let mut position = start;
    while position < end {
        let next = end.min(position + BLOCK);
        context.update(&bytes(log, position, next)?);
        position = next;
    }
    Ok(Torn { bytes: end - start, sha256: HEXLOWER.encode(context.finish().as_ref()) })
}

fn bytes(log: &mut (impl Read + Seek), start: u64, end: u64) -> io::Result<Vec<u8>> {
    log.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    log.take(end - start).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn closes(line: &[u8]) -> bool {
    match Record::of(line) {
        Some(Record::Checkpoint { checkpoint, .. }) => match checkpoint.reason {
            Reason::Stop | Reason::Rotate => true,
            Reason::Start | Reason::Interval => false,
        },
        Some(Record::Resume { .. }) | None => false,
    }
}

const BLOCK: u64 = 64 * 1024;
/// A line is taken to be no line if it is longer, so that a damaged file cannot fill the memory.
pub(super) const MAX_LINE: u64 = 256 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn found(text: &[u8]) -> Recovered {
        recover(&mut Cursor::new(text)).unwrap()
    }

    #[test]
    fn an_empty_log_is_a_new_one() {
        assert_eq!(found(b""), Recovered::nothing());
    }

    #[test]
    fn what_is_no_chain_is_torn_as_a_whole() {
        let other = found(b"hello\nworld\n");
        assert_eq!((other.last, other.unterminated, other.closed), (Link::GENESIS, false, false));
        assert_eq!(other.torn.unwrap().bytes, 11);
        assert!(found(b"x").unterminated);
        assert_eq!(found(b"\n").torn.unwrap().bytes, 0);
    }

    #[test]
    fn a_long_torn_tail_is_read_in_blocks() {
        let mut text = vec![b'x'; 200_000];
        text[70_000] = b'\n';
        let torn = found(&text).torn.unwrap();
        assert_eq!(torn.bytes, 200_000);
        let whole = ring::digest::digest(&SHA256, &text);
        assert_eq!(torn.sha256, HEXLOWER.encode(whole.as_ref()));
    }
}
