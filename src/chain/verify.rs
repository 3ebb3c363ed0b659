//! `Verifier`: reads the files of one log, oldest first, and says what is wrong with them. Its memory does not grow with
//! the log.

use std::io::{self, BufRead};
use std::ops::Range;

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};

use super::checkpoint::{Checkpoint, Resume};
use super::line::Ending;
use super::record::Record;
use super::{Counts, Finding, Kind, LineHash, Link, LogReader, Report, VerifyingKey};

/// Where the first line has to be in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Anywhere: earlier files may have been put away.
    Anywhere,
    /// Directly after this line; [`Link::GENESIS`] for the whole chain.
    After(Link),
}

/// Verifies one log. Feed it with [`Verifier::read`], file by file, then ask with [`Verifier::finish`].
#[derive(Debug)]
pub struct Verifier {
    keys: Vec<VerifyingKey>,
    last: Option<Link>,
    node: Option<String>,
    log: Option<String>,
    every: Option<u64>,
    entries_since_checkpoint: u64,
    missing: Vec<Missing>,
    broken: Option<Broken>,
    file: usize,
    line: u64,
    findings: Vec<Finding>,
    violations: u64,
    counts: Counts,
}

/// Sequence numbers that were skipped, and may still turn up.
#[derive(Debug)]
struct Missing {
    range: Range<u64>,
    file: usize,
    line: u64,
}

/// Lines that are none, until a resume line accounts for them.
#[derive(Debug)]
struct Broken {
    file: usize,
    line: u64,
    lines: u64,
    bytes: u64,
    context: ContextBox,
}

/// A running hash; it has no `Debug` of its own.
struct ContextBox(Context);

impl std::fmt::Debug for ContextBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Context")
    }
}

impl Verifier {
    /// A verifier that accepts checkpoints under any of `keys`.
    pub fn new(keys: Vec<VerifyingKey>, start: Start) -> Self {
        let last = match start {
            Start::Anywhere => None,
            Start::After(link) => Some(link),
        };
        Self {
            keys,
            last,
            node: None,
            log: None,
            every: None,
            entries_since_checkpoint: 0,
            missing: Vec::new(),
            broken: None,
            file: 0,
            line: 0,
            findings: Vec::new(),
            violations: 0,
            counts: Counts::default(),
        }
    }

    /// Reads the next file, compressed (gzip) or not. Fails only where reading does: a compressed file that is damaged is
    /// a finding.
    pub fn read(&mut self, file: &mut impl BufRead) -> io::Result<()> {
        self.line = 0;
        let mut reader = LogReader::new(file)?;
        let mut line = Vec::new();
        while reader.line(&mut line)? {
            self.feed(line.strip_suffix(b"\n").unwrap_or(&line));
        }
        if reader.is_damaged() {
            self.found(None, Kind::Damaged);
        }
        self.counts.files += 1;
        self.file += 1;
        Ok(())
    }

    /// Ends the verification. `recorded` is the last sequence number that the vault has on its own record, if it is known.
    pub fn finish(mut self, recorded: Option<u64>) -> Report {
        if let Some(broken) = self.broken.take() {
            self.found_at(broken.file, broken.line, None, Kind::Torn);
        }
        for missing in std::mem::take(&mut self.missing) {
            self.report_missing(&missing);
        }
        self.file = self.file.saturating_sub(1);
        if self.counts.checkpoints == 0 && self.counts.lines > 0 {
            self.found(None, Kind::CheckpointMissing);
        }
        let last = self.last.map_or(0, |link| link.seq);
        if let Some(recorded) = recorded.filter(|recorded| *recorded > last) {
            self.found(Some(recorded), Kind::Truncated(recorded - last));
        }
        self.findings.sort_by_key(|finding| (finding.file, finding.line));
        Report { findings: self.findings, counts: self.counts, violations: self.violations }
    }

    fn feed(&mut self, line: &[u8]) {
        self.line += 1;
        self.counts.lines += 1;
        self.counts.unsigned_lines += 1;
        let Some(ending) = Ending::of(line) else { return self.broken_line(line) };
        let genuine = ending.is_genuine();
        if !genuine {
            self.found(Some(ending.seq), Kind::Changed);
        }
        // Only what the hash covers is worth reading.
        let own = if genuine { Record::of(line) } else { None };
        let resume = match &own {
            Some(Record::Resume { resume, .. }) => Some(resume),
            Some(Record::Checkpoint { .. }) | None => None,
        };
        let broken_lines = self.settle_broken(resume);
        self.check_node(&ending);
        if !self.follow(&ending, resume, broken_lines) {
            return;
        }
        match &own {
            Some(Record::Checkpoint { time, checkpoint }) => self.check_checkpoint(checkpoint, &ending, time),
            Some(Record::Resume { .. }) => {}
            None => self.count_entry(ending.seq),
        }
    }

    /// Remembers a line that is none: a torn one is accounted for by the resume line that follows it.
    fn broken_line(&mut self, line: &[u8]) {
        let (file, number) = (self.file, self.line);
        let broken = self.broken.get_or_insert_with(|| Broken {
            file,
            line: number,
            lines: 0,
            bytes: 0,
            context: ContextBox(Context::new(&SHA256)),
        });
        if broken.lines > 0 {
            broken.context.0.update(b"\n");
            broken.bytes += 1;
        }
        broken.context.0.update(line);
        broken.bytes += line.len() as u64;
        broken.lines += 1;
    }

    /// Decides about the broken lines before this one: how many there are, which may be lines that seem to be missing.
    fn settle_broken(&mut self, resume: Option<&Resume>) -> u64 {
        let Some(broken) = self.broken.take() else { return 0 };
        let sha256 = HEXLOWER.encode(broken.context.0.finish().as_ref());
        let accounted = resume
            .is_some_and(|resume| resume.torn_bytes == broken.bytes && resume.torn_sha256.as_ref() == Some(&sha256));
        if !accounted {
            self.found_at(broken.file, broken.line, None, Kind::Changed);
        }
        broken.lines
    }

    /// Checks the place of a line in the chain. Whether it is the newest line so far.
    fn follow(&mut self, ending: &Ending<'_>, resume: Option<&Resume>, broken_lines: u64) -> bool {
        let seq = ending.seq;
        self.counts.first_seq.get_or_insert(seq);
        let Some(last) = self.last else {
            self.advance(ending);
            return true;
        };
        if seq <= last.seq {
            let kind = if self.take_missing(seq) { Kind::Reordered } else { Kind::Duplicated };
            self.found(Some(seq), kind);
            return false;
        }
        let linked = ending.prev == last.hash;
        let skipped = seq - last.seq - 1;
        match resume {
            Some(resume) if linked && resume.last_good_seq == last.seq => {
                self.counts.gaps += 1;
                self.found(Some(seq), Kind::Gap(skipped));
                let other = |hash: &String| LineHash::parse(hash.as_bytes()) != Some(last.hash);
                if resume.recorded_hash.as_ref().is_some_and(other) {
                    self.found(Some(last.seq), Kind::Changed);
                }
            }
            Some(_) | None if skipped > 0 => self.skip(last.seq + 1..seq, broken_lines),
            Some(_) | None if !linked => self.found(Some(seq), Kind::Changed),
            Some(_) | None => {}
        }
        self.advance(ending);
        true
    }

    fn advance(&mut self, ending: &Ending<'_>) {
        self.last = Some(ending.link());
        self.counts.last_seq = Some(ending.seq);
    }

    /// Notes numbers that were skipped. Broken lines in their place were reported already.
    fn skip(&mut self, range: Range<u64>, broken_lines: u64) {
        if range.end - range.start <= broken_lines {
            return;
        }
        let missing = Missing { range, file: self.file, line: self.line };
        if self.missing.len() < MAX_MISSING { self.missing.push(missing) } else { self.report_missing(&missing) }
    }

    /// Whether `seq` was missing; it is no more.
    fn take_missing(&mut self, seq: u64) -> bool {
        let Some(index) = self.missing.iter().position(|missing| missing.range.contains(&seq)) else { return false };
        let Missing { range, file, line } = self.missing.swap_remove(index);
        let rest = [range.start..seq, seq + 1..range.end];
        let rest = rest.into_iter().filter(|range| !range.is_empty());
        self.missing.extend(rest.map(|range| Missing { range, file, line }));
        true
    }

    fn report_missing(&mut self, missing: &Missing) {
        let Range { start, end } = missing.range;
        self.found_at(missing.file, missing.line, Some(start), Kind::Removed(end - start));
    }

    fn check_node(&mut self, ending: &Ending<'_>) {
        match &self.node {
            Some(node) if node == ending.node => {}
            Some(_) => self.found(Some(ending.seq), Kind::Foreign),
            None => self.node = Some(ending.node.to_owned()),
        }
    }

    fn check_checkpoint(&mut self, checkpoint: &Checkpoint, ending: &Ending<'_>, time: &str) {
        let Some(key) = self.keys.iter().find(|key| key.id() == checkpoint.key) else {
            return self.found(Some(ending.seq), Kind::UnknownKey);
        };
        let statement = checkpoint.statement(ending.node, time, ending.seq, ending.prev);
        if !key.verifies(&statement, &checkpoint.signature) {
            return self.found(Some(ending.seq), Kind::BadSignature);
        }
        if self.log.get_or_insert_with(|| checkpoint.log.clone()) != &checkpoint.log {
            self.found(Some(ending.seq), Kind::Foreign);
        }
        self.counts.checkpoints += 1;
        self.counts.signed_seq = Some(ending.seq);
        self.counts.unsigned_lines = 0;
        self.every = Some(checkpoint.every);
        self.entries_since_checkpoint = 0;
    }

    /// The server signs after so many entries. Reported once, until the next checkpoint.
    fn count_entry(&mut self, seq: u64) {
        self.entries_since_checkpoint += 1;
        if self.every.is_some_and(|every| self.entries_since_checkpoint == every.saturating_add(1)) {
            self.found(Some(seq), Kind::CheckpointMissing);
        }
    }

    fn found(&mut self, seq: Option<u64>, kind: Kind) {
        self.found_at(self.file, self.line, seq, kind);
    }

    fn found_at(&mut self, file: usize, line: u64, seq: Option<u64>, kind: Kind) {
        self.violations += u64::from(kind.is_violation());
        if self.findings.len() < Report::MAX_FINDINGS {
            self.findings.push(Finding { file, line, seq, kind });
        }
    }
}

/// So many separate gaps are remembered at once.
const MAX_MISSING: usize = 1024;

#[cfg(test)]
mod tests;
