//! Reading a log's file, compressed or not, line by line and in constant memory.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

use super::line::Ending;
use super::record::Record;
use super::recover::{MAX_LINE, closes};
use super::{NodeId, Recovered};
use crate::time::Timestamp;

/// The lines of a file. A file that begins as gzip does (RFC 1952) is unpacked.
pub struct LogReader<R: BufRead> {
    source: Source<R>,
    damaged: bool,
}

enum Source<R: BufRead> {
    Plain(R),
    Gzip(Box<BufReader<MultiGzDecoder<R>>>),
}

impl<R: BufRead> LogReader<R> {
    /// Looks at how the file begins.
    pub fn new(mut file: R) -> io::Result<Self> {
        let source = if file.fill_buf()?.starts_with(GZIP) {
            Source::Gzip(Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file))))
        } else {
            Source::Plain(file)
        };
        Ok(Self { source, damaged: false })
    }

    /// Reads the next line into `line`, with its newline if it has one; false behind the last. A compressed file that is
    /// damaged ends there.
    pub fn line(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        match &mut self.source {
            Source::Plain(file) => file.by_ref().take(MAX_LINE).read_until(b'\n', line)?,
            Source::Gzip(file) => match file.by_ref().take(MAX_LINE).read_until(b'\n', line) {
                Ok(length) => length,
                Err(error) if is_damage(&error) => {
                    self.damaged = true;
                    line.len()
                }
                Err(error) => return Err(error),
            },
        };
        Ok(!line.is_empty())
    }

    /// Whether the file could not be unpacked to its end.
    pub fn is_damaged(&self) -> bool {
        self.damaged
    }
}

impl<R: BufRead> std::fmt::Debug for LogReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogReader").field("damaged", &self.damaged).finish_non_exhaustive()
    }
}

/// When the first line was written, if it can be told: a file begins with a checkpoint or a resume line.
pub fn began(file: impl BufRead) -> io::Result<Option<Timestamp>> {
    let mut reader = LogReader::new(file.take(LOOK))?;
    let mut line = Vec::new();
    reader.line(&mut line)?;
    Ok(Record::of(line.trim_ascii_end()).and_then(|record| Timestamp::parse(record.time())))
}

/// The sequence number of the first whole line, if there is one near the beginning.
pub fn first_seq(file: impl BufRead) -> io::Result<Option<u64>> {
    let mut reader = LogReader::new(file.take(LOOK))?;
    let mut line = Vec::new();
    while reader.line(&mut line)? {
        if let Some(ending) = Ending::of(line.strip_suffix(b"\n").unwrap_or(&line)) {
            return Ok(Some(ending.seq));
        }
    }
    Ok(None)
}

/// What a file ends in that may be compressed, and so is read from its beginning. What stands behind the last whole line
/// is not told, only that the file was not closed.
pub fn last_of(file: impl BufRead) -> io::Result<Recovered> {
    let mut reader = LogReader::new(file)?;
    let mut found = Recovered::nothing();
    let mut line = Vec::new();
    while reader.line(&mut line)? {
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        match Ending::of(text).filter(Ending::is_genuine) {
            Some(ending) => {
                let node = NodeId::new(ending.node).ok();
                found = Recovered { last: ending.link(), node, closed: closes(text), ..Recovered::nothing() };
            }
            None => found.closed = false,
        }
    }
    found.closed &= !reader.is_damaged();
    Ok(found)
}

fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof)
}

const GZIP: &[u8] = &[0x1f, 0x8b];
const BUFFER: usize = 256 * 1024;
/// So much of a file is looked at to find its first line.
const LOOK: u64 = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn lines(file: &[u8]) -> (Vec<Vec<u8>>, bool) {
        let mut reader = LogReader::new(file).unwrap();
        let (mut lines, mut line) = (Vec::new(), Vec::new());
        while reader.line(&mut line).unwrap() {
            lines.push(line.clone());
        }
        (lines, reader.is_damaged())
    }

    #[test]
    fn compressed_and_plain_files_have_the_same_lines() {
        let text = b"one\ntwo\nthree";
        let whole = lines(text);
        assert_eq!((whole.0.len(), whole.1), (3, false));
        assert_eq!(lines(&packed(text)), whole);
        // Several members are one file.
        assert_eq!(lines(&[packed(b"one\ntw"), packed(b"o\nthree")].concat()), whole);
        assert_eq!(lines(b"").0.len(), 0);
    }

    #[test]
    fn a_damaged_file_ends_where_it_is_damaged() {
        let text = b"one\ntwo\nthree\n".repeat(100);
        let file = packed(&text);
        for cut in 3..file.len() {
            let (found, damaged) = lines(&file[..cut]);
            assert!(damaged && found.len() <= 300, "{cut}");
            let mut changed = file.clone();
            changed[cut] ^= 0x10;
            let (found, damaged) = lines(&changed);
            assert!(damaged || found.concat() == text, "{cut}");
        }
        assert!(!lines(&file[..1]).1, "one byte is no gzip");
    }

    #[test]
    fn a_disk_that_fails_is_no_damage_of_the_file() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("a bad sector"))
            }
        }
        let file = packed(&b"one\ntwo\nthree\n".repeat(100));
        let mut reader = LogReader::new(BufReader::new(file[..20].chain(Failing))).unwrap();
        let (mut line, mut outcome) = (Vec::new(), Ok(true));
        while matches!(outcome, Ok(true)) {
            outcome = reader.line(&mut line);
        }
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Other);
        assert_eq!(format!("{reader:?}"), "LogReader { damaged: false, .. }");
    }

    #[test]
    fn garbage_has_no_beginning_and_no_end() {
        for garbage in [&b"garbage\n"[..], b"", &[0x1f, 0x8b, 1, 2, 3]] {
            assert_eq!(began(garbage).unwrap(), None);
            assert_eq!(first_seq(garbage).unwrap(), None);
            assert_eq!(last_of(garbage).unwrap().closed, garbage.is_empty());
        }
    }
}
