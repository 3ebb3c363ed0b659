//! Reading a backup. What is given out is authentic; that nothing is missing is known at the end.

use std::fmt;
use std::io::BufRead;

use ring::digest::{SHA256, digest};

use super::archive::ArchiveReader;
use super::cipher::{BackupKey, HeaderDigest, Place, TAG_LEN};
use super::meta::{Meta, Origin};
use super::writer::sum_line;
use super::{BackupError, CHUNK, META, RECORDS, SEALED, SUMS, Summary, chunk_name};
use crate::storage::Key;

/// The largest `meta.json`, `SHA256SUMS.sealed` and origin that are read, in bytes.
const SMALL: usize = 64 << 10;

/// A backup of which only what stands in clear was read.
pub struct Reader<R: BufRead> {
    archive: ArchiveReader<R>,
    meta: Meta,
    header: HeaderDigest,
    sums: String,
}

impl<R: BufRead> Reader<R> {
    /// Begins to read.
    pub fn open(source: R) -> Result<Self, BackupError> {
        let mut archive = ArchiveReader::new(source);
        let member = archive.member(SMALL).map_err(|error| {
            // What does not even begin like a backup is none.
            if matches!(error, BackupError::Damaged(_)) { BackupError::Foreign } else { error }
        })?;
        if member.name != META {
            return Err(BackupError::Foreign);
        }
        let meta = Meta::from_json(&member.bytes)?;
        Ok(Self { archive, meta, header: HeaderDigest::of(&member.bytes), sums: sum_line(META, &member.bytes) })
    }

    /// What it says of itself.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The records, which `key` opens; it is derived from the vault's root key and the salt of [`Reader::meta`].
    pub fn unlock(self, key: BackupKey) -> Result<Records<R>, BackupError> {
        let Self { archive, header, sums, .. } = self;
        let chunks = Chunks { archive, key, header, sums, number: 0, end: None };
        let stream = Stream { chunks, chunk: Vec::new(), at: 0 };
        let mut records =
            Records { stream: Some(stream), origin: None, before: None, summary: Summary::default(), ended: false };
        let json = records.stream()?.short(SMALL)?;
        records.origin = Some(Origin::from_json(&json).ok_or_else(|| damaged("where it comes from cannot be read"))?);
        Ok(records)
    }
}

impl<R: BufRead> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("meta", &self.meta).finish_non_exhaustive()
    }
}

/// The records of a backup, in the order of their keys.
pub struct Records<R: BufRead> {
    stream: Option<Stream<R>>,
    origin: Option<Origin>,
    before: Option<Key>,
    summary: Summary,
    ended: bool,
}

impl<R: BufRead> Records<R> {
    /// Where the backup comes from.
    pub fn origin(&self) -> Result<Origin, BackupError> {
        self.origin.ok_or_else(|| damaged("where it comes from cannot be read"))
    }

    /// The next record. Nothing is the end: then the backup is whole. After an error there is nothing more to read.
    pub fn next_record(&mut self) -> Result<Option<(Key, Vec<u8>)>, BackupError> {
        if self.ended {
            return Ok(None);
        }
        let found = self.found();
        if found.is_err() {
            self.stream = None;
        }
        found
    }

    /// What was read so far.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    fn found(&mut self) -> Result<Option<(Key, Vec<u8>)>, BackupError> {
        if self.stream()?.is_at_end()? {
            let stream = self.stream.take().ok_or(BackupError::Truncated)?;
            self.summary.chunks = stream.chunks.number;
            stream.chunks.finish(self.summary)?;
            self.ended = true;
            return Ok(None);
        }
        let stream = self.stream()?;
        let name = stream.short(Key::MAX_LEN)?;
        let length = u64::from_be_bytes(stream.array()?);
        let value = stream.bytes(length)?;
        let name = String::from_utf8(name).ok().and_then(|name| Key::new(name).ok());
        let key = name.ok_or_else(|| damaged("the name of a record cannot be read"))?;
        if self.before.as_ref().is_some_and(|before| *before >= key) {
            return Err(damaged("its records are out of order"));
        }
        self.summary.records += 1;
        self.summary.bytes += (key.as_str().len() + value.len()) as u64;
        self.before = Some(key.clone());
        Ok(Some((key, value)))
    }

    fn stream(&mut self) -> Result<&mut Stream<R>, BackupError> {
        self.stream.as_mut().ok_or(BackupError::Truncated)
    }
}

impl<R: BufRead> fmt::Debug for Records<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("summary", &self.summary).finish_non_exhaustive()
    }
}

/// The plaintext of all chunks.
struct Stream<R: BufRead> {
    chunks: Chunks<R>,
    chunk: Vec<u8>,
    at: usize,
}

impl<R: BufRead> Stream<R> {
    /// Whether everything was read, and the end is next.
    fn is_at_end(&mut self) -> Result<bool, BackupError> {
        if self.at < self.chunk.len() {
            return Ok(false);
        }
        match self.chunks.next_chunk()? {
            None => Ok(true),
            Some(chunk) => {
                (self.chunk, self.at) = (chunk, 0);
                Ok(false)
            }
        }
    }

    fn bytes(&mut self, length: u64) -> Result<Vec<u8>, BackupError> {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < length {
            if self.is_at_end()? {
                return Err(BackupError::Truncated);
            }
            let wanted = usize::try_from(length - bytes.len() as u64).unwrap_or(usize::MAX);
            let there = self.chunk.get(self.at..).unwrap_or_default();
            let now = there.get(..wanted).unwrap_or(there);
            bytes.extend_from_slice(now);
            self.at += now.len();
        }
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        self.bytes(N as u64)?.try_into().map_err(|_| BackupError::Truncated)
    }

    /// Something with its length before it in four bytes, of at most `limit` bytes.
    fn short(&mut self, limit: usize) -> Result<Vec<u8>, BackupError> {
        let length = u32::from_be_bytes(self.array()?);
        if usize::try_from(length).is_ok_and(|length| length <= limit) {
            self.bytes(u64::from(length))
        } else {
            Err(damaged("the length of a record cannot be right"))
        }
    }
}

struct Chunks<R: BufRead> {
    archive: ArchiveReader<R>,
    key: BackupKey,
    header: HeaderDigest,
    sums: String,
    number: u64,
    /// `SHA256SUMS`, once it was reached.
    end: Option<Vec<u8>>,
}

impl<R: BufRead> Chunks<R> {
    fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, BackupError> {
        if self.end.is_some() {
            return Ok(None);
        }
        // What the sums can be at most: those of the chunks before, which are as long.
        let member = self.archive.member((CHUNK + TAG_LEN).max(self.sums.len()))?;
        if member.name == SUMS {
            self.end = Some(member.bytes);
            return Ok(None);
        }
        if member.name != chunk_name(self.number) {
            let named = member.name.starts_with(RECORDS);
            return Err(damaged(if named { "a part is missing" } else { "it has a part that does not belong there" }));
        }
        self.sums.push_str(&sum_line(&member.name, &member.bytes));
        let opened = self.key.open(Place::Chunk(self.number), &self.header, member.bytes);
        let chunk = opened.ok_or_else(|| BackupError::Unauthentic(format!("part {}", self.number)))?;
        self.number += 1;
        if chunk.is_empty() { Err(damaged("a part is empty")) } else { Ok(Some(chunk)) }
    }

    /// Checks the end against what was read.
    fn finish(self, read: Summary) -> Result<(), BackupError> {
        let Self { mut archive, key, header, sums, number, end } = self;
        if end.as_deref() != Some(sums.as_bytes()) {
            return Err(damaged("its checksums are not those of its parts"));
        }
        let member = archive.member(SMALL)?;
        if member.name != SEALED {
            return Err(BackupError::Truncated);
        }
        let opened = key.open(Place::End(number), &header, member.bytes);
        let opened = opened.ok_or_else(|| BackupError::Unauthentic("the end".into()))?;
        let written = opened.strip_prefix(digest(&SHA256, sums.as_bytes()).as_ref());
        let written: Option<Summary> = written.and_then(|json| serde_json::from_slice(json).ok());
        if written != Some(read) {
            return Err(damaged("it has not the records that its end counts"));
        }
        archive.finish()
    }
}

fn damaged(why: &str) -> BackupError {
    BackupError::Damaged(why.to_owned())
}
