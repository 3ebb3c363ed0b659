//! Writing a backup.

use std::fmt;
use std::io::Write;

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

use super::archive::ArchiveWriter;
use super::cipher::{BackupKey, HeaderDigest, Place};
use super::meta::{Meta, Origin};
use super::{BackupError, CHUNK, META, SEALED, SUMS, Summary, chunk_name};
use crate::storage::Key;

/// Writes a backup, record by record. One that was not finished is refused by every reader.
pub struct Writer<W: Write> {
    archive: ArchiveWriter<W>,
    key: BackupKey,
    header: HeaderDigest,
    chunk: Vec<u8>,
    sums: String,
    summary: Summary,
}

impl<W: Write> Writer<W> {
    /// Begins a backup. `key` is derived from the vault's root key and from the salt in `meta`.
    pub fn start(sink: W, key: BackupKey, meta: &Meta, origin: Origin) -> Result<Self, BackupError> {
        let json = meta.to_json()?;
        let mut writer = Self {
            archive: ArchiveWriter::new(sink, meta.created),
            key,
            header: HeaderDigest::of(&json),
            chunk: Vec::with_capacity(CHUNK),
            sums: String::new(),
            summary: Summary::default(),
        };
        writer.member(META, &json)?;
        let origin = origin.to_json()?;
        writer.put(&length(origin.len()).to_be_bytes())?;
        writer.put(&origin)?;
        Ok(writer)
    }

    /// Adds a record. The keys ascend.
    pub fn record(&mut self, key: &Key, value: &[u8]) -> Result<(), BackupError> {
        let name = key.as_str().as_bytes();
        self.put(&length(name.len()).to_be_bytes())?;
        self.put(name)?;
        self.put(&(value.len() as u64).to_be_bytes())?;
        self.put(value)?;
        self.summary.records += 1;
        self.summary.bytes += (name.len() + value.len()) as u64;
        Ok(())
    }

    /// What was written so far.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Ends the backup, and gives the sink back.
    pub fn finish(mut self) -> Result<(W, Summary), BackupError> {
        if !self.chunk.is_empty() {
            self.seal_chunk()?;
        }
        let sums = std::mem::take(&mut self.sums);
        let mut end = [digest(&SHA256, sums.as_bytes()).as_ref(), &json(&self.summary)?].concat();
        self.key.seal(Place::End(self.summary.chunks), &self.header, &mut end)?;
        self.archive.member(SUMS, sums.as_bytes())?;
        self.archive.member(SEALED, &end)?;
        Ok((self.archive.finish()?, self.summary))
    }

    fn put(&mut self, mut bytes: &[u8]) -> Result<(), BackupError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            bytes = later;
            if self.chunk.len() == CHUNK {
                self.seal_chunk()?;
            }
        }
        Ok(())
    }

    fn seal_chunk(&mut self) -> Result<(), BackupError> {
        let number = self.summary.chunks;
        let mut chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        self.key.seal(Place::Chunk(number), &self.header, &mut chunk)?;
        self.summary.chunks += 1;
        self.member(&chunk_name(number), &chunk)
    }

    fn member(&mut self, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
        self.sums.push_str(&sum_line(name, bytes));
        Ok(self.archive.member(name, bytes)?)
    }
}

impl<W: Write> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("summary", &self.summary).finish_non_exhaustive()
    }
}

/// The line of `SHA256SUMS` for a member, as `sha256sum` writes and checks it.
pub(super) fn sum_line(name: &str, bytes: &[u8]) -> String {
    format!("{}  {name}\n", HEXLOWER.encode(digest(&SHA256, bytes).as_ref()))
}

/// A length that the store bounds far below 4 GiB: that of a key, or of what we wrote ourselves.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn json(summary: &Summary) -> Result<Vec<u8>, BackupError> {
    serde_json::to_vec(summary).map_err(|error| BackupError::Io(error.into()))
}
