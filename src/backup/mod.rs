//! A backup: one state of a store in one file, which only the shares of its vault open.
//!
//! docs/backup.md specifies the format, docs/decisions/0005 says why it is so. In short: a gzip'd tar archive of
//! `meta.json`, which says how the vault is sealed; the records, in encrypted chunks; `SHA256SUMS`, which anyone can check;
//! and `SHA256SUMS.sealed`, the authenticated end. Writing and reading take constant memory.

mod archive;
mod cipher;
mod meta;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

pub use cipher::{BackupKey, Salt};
pub use meta::{Meta, Origin};
pub use reader::{Reader, Records};
pub use writer::Writer;

use std::io;

use crate::error::Error;

/// Plaintext bytes in one chunk; the last one may be shorter.
const CHUNK: usize = 1 << 20;
/// The names of the archive's members, in their order.
const META: &str = "meta.json";
const RECORDS: &str = "records/";
const SUMS: &str = "SHA256SUMS";
const SEALED: &str = "SHA256SUMS.sealed";

/// What was written, or read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Summary {
    /// How many records.
    pub records: u64,
    /// The bytes of their keys and values.
    pub bytes: u64,
    /// In how many chunks.
    pub chunks: u64,
}

/// Why a backup cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is something else.
    #[error("this is no backup of Arca")]
    Foreign,
    /// It is of a newer format.
    #[error("the backup has format version {0}, and this program reads version 1; use the program that wrote it")]
    Version(u32),
    /// Its end is missing.
    #[error("the backup is cut short; take it again, or use another")]
    Truncated,
    /// It is damaged, or was altered.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// A chunk is not authentic.
    #[error("{0} of the backup does not open: it is damaged, was altered, or is of another vault")]
    Unauthentic(String),
    /// It was not written or read to its end.
    #[error("the backup could not be read or written")]
    Io(#[source] io::Error),
    /// Encryption failed.
    #[error("the backup could not be encrypted")]
    Encryption,
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Self::Truncated;
        }
        if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) {
            return Self::Damaged("it cannot be unpacked".into());
        }
        Self::Io(error)
    }
}

impl From<BackupError> for Error {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Foreign
            | BackupError::Version(_)
            | BackupError::Truncated
            | BackupError::Damaged(_)
            | BackupError::Unauthentic(_) => Self::invalid(error.to_string()),
            BackupError::Io(_) | BackupError::Encryption => Self::internal(error.to_string()).with_source(error),
        }
    }
}

/// The name of a chunk.
fn chunk_name(number: u64) -> String {
    format!("{RECORDS}{number:08}")
}
