//! The lines that the chain itself writes, read back: checkpoints and resume lines. Entries are the audit log's own.

use memchr::memmem;
use serde::Deserialize;

use super::checkpoint::{Checkpoint, Resume};
use super::framing::object;

/// A line of the chain's own.
#[derive(Debug)]
pub(super) enum Record {
    Checkpoint { time: String, checkpoint: Checkpoint },
    Resume { time: String, resume: Resume },
}

impl Record {
    /// Reads a line; nothing for an entry.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        // What the writer writes has one of these in it. Most lines have not, and need not be read.
        if memmem::find(line, CHECKPOINT).is_none() && memmem::find(line, RESUME).is_none() {
            return None;
        }
        let object = object(line)?;
        let Frame { arca, unmapped } = serde_json::from_slice(&object).ok()?;
        let Members { time, kind, checkpoint, resume } = match arca.or(unmapped) {
            Some(members) => members,
            None => serde_json::from_slice(&object).ok()?,
        };
        match (kind.as_deref(), checkpoint, resume) {
            (Some("checkpoint"), Some(checkpoint), _) => Some(Self::Checkpoint { time: time?, checkpoint }),
            (Some("resume"), _, Some(resume)) => Some(Self::Resume { time: time?, resume }),
            _ => None,
        }
    }

    /// When it was written.
    pub(super) fn time(&self) -> &str {
        match self {
            Self::Checkpoint { time, .. } | Self::Resume { time, .. } => time,
        }
    }
}

/// The outer object of the formats that put the recorded line into one.
#[derive(Deserialize)]
struct Frame {
    arca: Option<Members>,
    unmapped: Option<Members>,
}

/// The members of a recorded line that matter here.
#[derive(Deserialize)]
struct Members {
    time: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    checkpoint: Option<Checkpoint>,
    resume: Option<Resume>,
}

const CHECKPOINT: &[u8] = b"\"type\":\"checkpoint\"";
const RESUME: &[u8] = b"\"type\":\"resume\"";
