//! The archive: gzip (RFC 1952) around tar (POSIX.1-1988, `ustar`), as much of both as a backup needs. Nothing is
//! compressed, for ciphertext cannot be.

use std::io::{self, BufRead, Read, Write};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use super::BackupError;
use crate::time::Timestamp;

/// What everything in a tar archive is a multiple of, in bytes.
const BLOCK: usize = 512;
/// Zeros behind the last member that are put up with, in bytes: tar programs fill up to their own block.
const MOST_PADDING: u64 = 1 << 20;

/// Writes members one after the other.
pub(super) struct ArchiveWriter<W: Write> {
    gzip: GzEncoder<W>,
    modified: u64,
}

impl<W: Write> ArchiveWriter<W> {
    /// An archive whose members have this time.
    pub(super) fn new(sink: W, modified: Timestamp) -> Self {
        let modified = u64::try_from(modified.unix_seconds()).unwrap_or_default();
        Self { gzip: GzEncoder::new(sink, Compression::none()), modified }
    }

    /// Adds one member.
    pub(super) fn member(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.gzip.write_all(&header(name, bytes.len(), self.modified)?)?;
        self.gzip.write_all(bytes)?;
        let padding = bytes.len().next_multiple_of(BLOCK) - bytes.len();
        self.gzip.write_all([0; BLOCK].get(..padding).unwrap_or_default())
    }

    /// Ends the archive, and gives the sink back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.gzip.write_all(&[0; 2 * BLOCK])?;
        self.gzip.finish()
    }
}

/// The header of a member: fields in text, numbers in octal.
fn header(name: &str, length: usize, modified: u64) -> io::Result<[u8; BLOCK]> {
    let fields: [(usize, String); 9] = [
        (0, name.to_owned()),
        (100, "0000600\0".to_owned()),
        (108, "0000000\0".to_owned()),
        (116, "0000000\0".to_owned()),
        (124, format!("{length:011o}\0")),
        (136, format!("{modified:011o}\0")),
        (148, " ".repeat(8)),
        (156, "0".to_owned()),
        (257, "ustar\x0000".to_owned()),
    ];
    let mut block = [0; BLOCK];
    for (start, text) in &fields {
        put(&mut block, *start, text.as_bytes())?;
    }
    let sum = format!("{:06o}\0 ", block.iter().map(|byte| u32::from(*byte)).sum::<u32>());
    put(&mut block, 148, sum.as_bytes())?;
    Ok(block)
}

fn put(block: &mut [u8; BLOCK], start: usize, bytes: &[u8]) -> io::Result<()> {
    let place = block.get_mut(start..start + bytes.len());
    place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?.copy_from_slice(bytes);
    Ok(())
}

/// Reads members one after the other.
pub(super) struct ArchiveReader<R: BufRead> {
    gzip: GzDecoder<R>,
}

/// A member of an archive.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

impl<R: BufRead> ArchiveReader<R> {
    pub(super) fn new(source: R) -> Self {
        Self { gzip: GzDecoder::new(source) }
    }

    /// The next member, which may have at most `limit` bytes. The end of the archive is an error: a backup says itself
    /// which member is its last.
    pub(super) fn member(&mut self, limit: usize) -> Result<Member, BackupError> {
        let mut block = [0; BLOCK];
        self.gzip.read_exact(&mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            return Err(BackupError::Truncated);
        }
        let (name, length) = parse(&block).ok_or_else(|| damaged("the header of a part cannot be read"))?;
        if length > limit {
            return Err(damaged("a part is larger than it can be"));
        }
        let padded = length.next_multiple_of(BLOCK);
        // Grows as it is read: the length has not been proved to be right.
        let mut bytes = Vec::new();
        let read = (&mut self.gzip).take(padded as u64).read_to_end(&mut bytes)?;
        if read != padded {
            return Err(BackupError::Truncated);
        }
        bytes.truncate(length);
        Ok(Member { name, bytes })
    }

    /// Makes sure that nothing follows.
    pub(super) fn finish(mut self) -> Result<(), BackupError> {
        let mut rest = [0; BLOCK];
        let mut read = 0;
        loop {
            let count = self.gzip.read(&mut rest)?;
            read += count as u64;
            let blank = rest.get(..count).is_some_and(|rest| rest.iter().all(|byte| *byte == 0));
            if !blank || read > MOST_PADDING {
                return Err(damaged("something follows its end"));
            }
            if count == 0 {
                break;
            }
        }
        if read < 2 * BLOCK as u64 {
            return Err(BackupError::Truncated);
        }
        if !self.gzip.into_inner().fill_buf()?.is_empty() {
            return Err(damaged("something follows its end"));
        }
        Ok(())
    }
}

/// The name and the length of the member that a header is of.
fn parse(block: &[u8; BLOCK]) -> Option<(String, usize)> {
    let sum = octal(block.get(148..156)?)?;
    let spaces = 8 * u64::from(b' ');
    let around = block.get(..148)?.iter().chain(block.get(156..)?);
    let is_plain = block.get(156..157)? == b"0" && block.get(257..262)? == b"ustar";
    if around.map(|byte| u64::from(*byte)).sum::<u64>() + spaces != sum || !is_plain {
        return None;
    }
    let name = block.get(..100)?.split(|byte| *byte == 0).next()?;
    Some((std::str::from_utf8(name).ok()?.to_owned(), usize::try_from(octal(block.get(124..136)?)?).ok()?))
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { u64::from_str_radix(text, 8).ok() } else { None }
}

fn damaged(why: &str) -> BackupError {
    BackupError::Damaged(why.to_owned())
}
