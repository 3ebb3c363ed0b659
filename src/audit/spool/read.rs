//! Reads lines out of a spool.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::{Place, Spool};

/// Whole lines of a spool, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The lines, each with its newline.
    pub bytes: Vec<u8>,
    /// Behind the last of them.
    pub end: Place,
}

impl Spool {
    /// The lines from `from` on: so many as fit `max_bytes`, or one that is longer. Nothing if there are none yet.
    pub fn read(&self, from: Place, max_bytes: usize) -> io::Result<Option<Batch>> {
        let Some((start, limit, path)) = self.locate(from) else { return Ok(None) };
        let mut file = File::open(path.0)?;
        file.seek(SeekFrom::Start(start.offset.saturating_sub(path.1)))?;
        let Some(bytes) = lines(&mut file.take(limit - start.offset), max_bytes)? else {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a segment of the spool was cut"));
        };
        let end = Place { offset: start.offset + bytes.len() as u64, lines: start.lines + newlines(&bytes) };
        Ok(Some(Batch { bytes, end }))
    }

    /// Where the next line begins, up to where its segment has been written, and the file with the offset of its start.
    fn locate(&self, from: Place) -> Option<(Place, u64, (std::path::PathBuf, u64))> {
        let extent = self.extent();
        let segment = extent.segments.iter().find(|segment| segment.end() > from.offset)?;
        // Segments that someone removed are passed over: the chain shows that lines are missing.
        let start = if segment.start.offset > from.offset { segment.start } else { from };
        Some((start, segment.end(), (segment.path(&self.folder), segment.start.offset)))
    }
}

/// Whole lines from the start of `text`: so many as fit `max_bytes`, or one that is longer. Nothing if there is no newline.
pub fn lines(text: &mut impl Read, max_bytes: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut wanted = max_bytes.max(1) as u64;
    loop {
        let read = text.by_ref().take(wanted).read_to_end(&mut bytes)?;
        if let Some(newline) = bytes.iter().rposition(|byte| *byte == b'\n') {
            bytes.truncate(newline + 1);
            if bytes.len() > max_bytes {
                // A line that is too long goes alone.
                let first = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(newline);
                bytes.truncate(first + 1);
            }
            return Ok(Some(bytes));
        }
        if read == 0 {
            return Ok(None);
        }
        wanted = BLOCK;
    }
}

/// How many lines end in these bytes.
pub(super) fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

const BLOCK: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_lines_that_fit_or_one_that_does_not() {
        let take =
            |text: &str, max| lines(&mut text.as_bytes(), max).unwrap().map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(take("ab\ncd\nef\n", 6).as_deref(), Some("ab\ncd\n"));
        assert_eq!(take("ab\ncd\nef\n", 7).as_deref(), Some("ab\ncd\n"));
        assert_eq!(take("abcdefgh\ncd\n", 3).as_deref(), Some("abcdefgh\n"));
        assert_eq!(take("abcdef", 3), None);
        assert_eq!(take("", 3), None);
        let long = format!("{}\nx\n", "a".repeat(200_000));
        assert_eq!(take(&long, 10).map(|line| line.len()), Some(200_001));
    }

    proptest! {
        #[test]
        fn batches_put_together_are_the_text(lengths in proptest::collection::vec(0_usize..90_000, 1..12), max in 1_usize..100_000) {
            let text: String = lengths.iter().flat_map(|length| ["x".repeat(*length), "\n".to_owned()]).collect();
            let mut rest = text.as_bytes();
            let mut together = Vec::new();
            while let Some(batch) = lines(&mut { rest }, max).unwrap() {
                prop_assert!(batch.ends_with(b"\n"));
                prop_assert!(batch.len() <= max || newlines(&batch) == 1);
                rest = &rest[batch.len()..];
                together.extend(batch);
            }
            prop_assert_eq!(together, text.into_bytes());
        }
    }
}
