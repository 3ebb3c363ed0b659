//! `ChainWriter`: turns entries into lines of one log's chain, with checkpoints between them.

use serde::Serialize;

use crate::time::Timestamp;

use super::checkpoint::{Checkpoint, Resume, check_log_name, signed};
use super::line::{finish, finish_as};
use super::{ChainError, Framing, Link, NodeId, Reason, Recovered, SigningKey};

/// Numbers, links and hashes the lines of one log. It only fills buffers; whoever writes them tells it with
/// [`ChainWriter::rewind`] when they did not reach the log.
#[derive(Debug)]
pub struct ChainWriter {
    node: NodeId,
    log: String,
    prefix: String,
    framing: Option<Framing>,
    key: std::sync::Arc<SigningKey>,
    position: Position,
    every: u64,
}

/// How far a writer has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    link: Link,
    since_checkpoint: u64,
}

impl Position {
    /// Directly after a line, with a checkpoint there.
    pub fn at(link: Link) -> Self {
        Self { link, since_checkpoint: 0 }
    }

    /// The last line.
    pub fn link(self) -> Link {
        self.link
    }
}

impl ChainWriter {
    /// A writer at the start of a new chain of `node` in the log of that name, which signs a checkpoint after `every`
    /// lines (at least 1). Each line begins with `prefix`, which may be empty.
    pub fn new(
        node: NodeId,
        log: &str,
        prefix: &str,
        key: std::sync::Arc<SigningKey>,
        every: u64,
    ) -> Result<Self, ChainError> {
        check_log_name(log)?;
        let position = Position { link: Link::GENESIS, since_checkpoint: 0 };
        let every = every.max(1);
        Ok(Self { node, log: log.to_owned(), prefix: prefix.to_owned(), framing: None, key, position, every })
    }

    /// The same with its own lines in another format. Entries come in it already.
    #[must_use]
    pub fn framed(self, framing: Option<Framing>) -> Self {
        Self { framing, ..self }
    }

    /// Goes on after what was found in the log's file, and appends to `out` the lines that the log has to begin with:
    /// a resume line unless the log was closed in order, then a checkpoint. `recorded` is the last line that the vault
    /// has on its own record: after it the chain goes on where the file is empty, as it is when it was rotated.
    pub fn open(
        &mut self,
        found: &Recovered,
        recorded: Option<Link>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), ChainError> {
        if found.node.as_ref().is_some_and(|node| *node != self.node) {
            return Err(ChainError::OtherNode);
        }
        if found.unterminated {
            out.push(b'\n');
        }
        // A file that someone else put away later is known from the record only.
        let fresh = *found == Recovered::nothing() || (found.archived && found.closed);
        let later = recorded.filter(|recorded| fresh && recorded.seq > found.last.seq);
        self.position.link = later.unwrap_or(found.last);
        let last = self.position.link;
        let contradicted = recorded
            .filter(|recorded| recorded.seq > last.seq || (recorded.seq == last.seq && recorded.hash != last.hash));
        if !found.closed || contradicted.is_some() {
            self.resume(found, contradicted, now, out);
        }
        self.checkpoint(Reason::Start, now, out);
        Ok(())
    }

    /// Appends an entry as a line. `entry` is a JSON object without its closing brace, with at least one member, or what
    /// the writer's [`Framing`] makes of one; it must have no member of the chain's names and no newline.
    pub fn entry(&mut self, entry: &[u8], now: Timestamp, out: &mut Vec<u8>) {
        let start = self.begin(out);
        out.extend_from_slice(entry);
        self.position.link = finish(out, start, self.position.link, &self.node);
        self.position.since_checkpoint += 1;
        if self.position.since_checkpoint >= self.every {
            self.checkpoint(Reason::Interval, now, out);
        }
    }

    /// Appends a line that says how many entries there was no room for, and since when.
    pub fn dropped(&mut self, entries: u64, since: Timestamp, now: Timestamp, out: &mut Vec<u8>) {
        let dropped = Dropped { entries, since: &since.to_string() };
        let mut entry = Vec::new();
        self.own(&DroppedLine { time: &now.to_string(), kind: "dropped", dropped }, &mut entry);
        self.entry(&entry, now, out);
    }

    /// Appends a checkpoint.
    pub fn checkpoint(&mut self, reason: Reason, now: Timestamp, out: &mut Vec<u8>) {
        let time = now.to_string();
        let before = self.position.link;
        let mut checkpoint = Checkpoint {
            log: self.log.clone(),
            reason,
            every: self.every,
            key: self.key.id().to_owned(),
            signature: String::new(),
        };
        signed(&self.key, &mut checkpoint, &self.node, &time, before.seq + 1, before.hash);
        let start = self.begin(out);
        self.own(&CheckpointLine { time: &time, kind: "checkpoint", checkpoint: &checkpoint }, out);
        self.position = Position { link: finish(out, start, before, &self.node), since_checkpoint: 0 };
    }

    /// Where the writer stands.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Goes back to an earlier position: the lines since then did not reach the log.
    pub fn rewind(&mut self, position: Position) {
        self.position = position;
    }

    fn resume(&mut self, found: &Recovered, contradicted: Option<Link>, now: Timestamp, out: &mut Vec<u8>) {
        let changed = contradicted.filter(|recorded| recorded.seq == found.last.seq);
        let resume = Resume {
            last_good_seq: found.last.seq,
            torn_bytes: found.torn.as_ref().map_or(0, |torn| torn.bytes),
            torn_sha256: found.torn.as_ref().map(|torn| torn.sha256.clone()),
            recorded_seq: contradicted.map(|recorded| recorded.seq),
            recorded_hash: changed.map(|recorded| recorded.hash.to_string()),
        };
        let start = self.begin(out);
        self.own(&ResumeLine { time: &now.to_string(), kind: "resume", resume: &resume }, out);
        let seq = contradicted.map_or(found.last.seq, |recorded| recorded.seq) + 1;
        self.position.link = finish_as(out, start, seq, found.last.hash, &self.node);
    }

    /// Appends a line of the chain's own, without its end.
    fn own(&self, line: &impl Serialize, out: &mut Vec<u8>) {
        match self.framing {
            None => unfinished(out, line),
            Some(framing) => {
                let mut recorded = Vec::new();
                unfinished(&mut recorded, line);
                framing(&recorded, out);
            }
        }
    }

    fn begin(&self, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        out.extend_from_slice(self.prefix.as_bytes());
        start
    }
}

/// Appends an object without its closing brace.
fn unfinished(out: &mut Vec<u8>, line: &impl Serialize) {
    let before = out.len();
    match serde_json::to_writer(&mut *out, line) {
        Ok(()) => {
            out.pop();
        }
        // Texts and numbers into memory: it does not happen. The line would fail to verify rather than be taken for good.
        Err(_) => out.truncate(before),
    }
}

#[derive(Serialize)]
struct CheckpointLine<'a> {
    time: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    checkpoint: &'a Checkpoint,
}

#[derive(Serialize)]
struct ResumeLine<'a> {
    time: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    resume: &'a Resume,
}

#[derive(Serialize)]
struct DroppedLine<'a> {
    time: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    dropped: Dropped<'a>,
}

#[derive(Serialize)]
struct Dropped<'a> {
    entries: u64,
    since: &'a str,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use data_encoding::HEXLOWER;

    use super::*;
    use crate::secret::SecretBytes;

    #[test]
    fn the_checkpoint_of_the_document() {
        let seed = b"302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let pkcs8 = SecretBytes::new(HEXLOWER.decode(seed).unwrap());
        let key = Arc::new(SigningKey::from_pkcs8(&pkcs8).unwrap());
        let mut writer = ChainWriter::new(NodeId::new("n1").unwrap(), "file/", "", key, 1000).unwrap();
        let mut out = Vec::new();
        writer.open(&Recovered::nothing(), None, Timestamp::from_unix_seconds(1_700_000_000), &mut out).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert!(include_str!("../../docs/audit.md").contains(&line), "{line}");
    }

    #[test]
    fn names_of_logs_are_checked() {
        let pkcs8 = SigningKey::generate(&crate::entropy::SeededEntropy::new(1)).unwrap();
        let key = Arc::new(SigningKey::from_pkcs8(&pkcs8).unwrap());
        for bad in ["", "a\nb", &"a".repeat(513)] {
            let node = NodeId::new("n1").unwrap();
            assert_eq!(ChainWriter::new(node, bad, "", Arc::clone(&key), 1).unwrap_err(), ChainError::LogName);
        }
    }
}
