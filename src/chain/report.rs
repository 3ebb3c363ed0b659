//! What a verification found.

use std::fmt;

/// The outcome of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was found, in the order of the files; at most [`Report::MAX_FINDINGS`] are kept.
    pub findings: Vec<Finding>,
    /// How much was looked at.
    pub counts: Counts,
    /// How many findings are violations, kept or not.
    pub violations: u64,
}

impl Report {
    /// So many findings are kept; the others are counted.
    pub const MAX_FINDINGS: usize = 1000;

    /// Whether nothing but gaps that the server itself recorded was found.
    pub fn is_intact(&self) -> bool {
        self.violations == 0
    }

    /// The first finding that is a violation.
    pub fn first_violation(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.kind.is_violation())
    }
}

/// How much was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files.
    pub files: u64,
    /// Lines, whole or not.
    pub lines: u64,
    /// Checkpoints with a good signature.
    pub checkpoints: u64,
    /// Gaps that the server recorded.
    pub gaps: u64,
    /// The first line's sequence number. Above 1, earlier files are missing; whether they may be is not for us to say.
    pub first_seq: Option<u64>,
    /// The highest sequence number.
    pub last_seq: Option<u64>,
    /// The last sequence number that a checkpoint vouches for.
    pub signed_seq: Option<u64>,
    /// How many lines come after the last good checkpoint: nothing but the vault's own record vouches for them.
    pub unsigned_lines: u64,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// In which file, counting from 0.
    pub file: usize,
    /// On which line of it, counting from 1.
    pub line: u64,
    /// The sequence number that it is about, where one can be told.
    pub seq: Option<u64>,
    /// What it is.
    pub kind: Kind,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The line, or the one before it, is not what was written.
    Changed,
    /// Lines are missing, so many.
    Removed(u64),
    /// The line stands behind one that was written later.
    Reordered,
    /// The line stands here a second time.
    Duplicated,
    /// The compressed file cannot be unpacked from here on.
    Damaged,
    /// The last line is cut short, and the server has not yet recorded that.
    Torn,
    /// The log ends before the last line that the vault has on record; so many are missing.
    Truncated(u64),
    /// A checkpoint whose signature does not verify.
    BadSignature,
    /// A checkpoint under a key that was not given.
    UnknownKey,
    /// More lines without a checkpoint than the server writes, or no checkpoint at all.
    CheckpointMissing,
    /// The line was written by another node, or for another log.
    Foreign,
    /// The server recorded, after a crash, that a line was cut short or that so many lines are lost.
    Gap(u64),
}

impl Kind {
    /// Whether it speaks against the log. A gap that was recorded does not, although it is worth a look.
    pub fn is_violation(self) -> bool {
        match self {
            Self::Gap(_) => false,
            Self::Changed
            | Self::Removed(_)
            | Self::Reordered
            | Self::Duplicated
            | Self::Damaged
            | Self::Torn
            | Self::Truncated(_)
            | Self::BadSignature
            | Self::UnknownKey
            | Self::CheckpointMissing
            | Self::Foreign => true,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("changed: this line, or the one before it, is not what was written"),
            Self::Removed(count) => write!(f, "removed: {count} missing before this line"),
            Self::Reordered => f.write_str("reordered: this line belongs further up"),
            Self::Duplicated => f.write_str("duplicated: this line was there before"),
            Self::Damaged => f.write_str("damaged: the compressed file cannot be unpacked behind this line"),
            Self::Torn => f.write_str("torn: the last line is cut short"),
            Self::Truncated(count) => write!(f, "truncated: the last {count} on record are missing"),
            Self::BadSignature => f.write_str("bad signature: this checkpoint was not signed by the vault"),
            Self::UnknownKey => f.write_str("unknown key: give the public key that this checkpoint names"),
            Self::CheckpointMissing => f.write_str("checkpoint missing: nothing vouches for the lines up to here"),
            Self::Foreign => f.write_str("foreign: this line belongs to another node or log"),
            Self::Gap(0) => f.write_str("gap: the server recorded that it had stopped in the middle of a line"),
            Self::Gap(count) => write!(f, "gap: the server recorded the loss of {count}"),
        }
    }
}
