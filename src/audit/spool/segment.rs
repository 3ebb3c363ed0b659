//! Segments: the files that a spool is cut into, so that what was delivered can be removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Place;

/// A segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment {
    /// Where it begins.
    pub(super) start: Place,
    /// How many bytes it has, all of them whole lines.
    pub(super) length: u64,
}

impl Segment {
    /// The offset behind its last line.
    pub(super) fn end(&self) -> u64 {
        self.start.offset.saturating_add(self.length)
    }

    pub(super) fn path(&self, folder: &Path) -> PathBuf {
        let Place { offset, lines } = self.start;
        folder.join(format!("{offset:020}-{lines:020}.log"))
    }

    /// The place that a file's name says, if it is a segment's.
    fn of_name(name: &str) -> Option<Place> {
        let (offset, lines) = name.strip_suffix(".log")?.split_once('-')?;
        let number = |digits: &str| {
            let fits = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
            fits.then(|| digits.parse().ok()).flatten()
        };
        Some(Place { offset: number(offset)?, lines: number(lines)? })
    }
}

/// The segments in `folder`, oldest first.
pub(super) fn list(folder: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(start) = entry.file_name().to_str().and_then(Segment::of_name) {
            segments.push(Segment { start, length: entry.metadata()?.len() });
        }
    }
    segments.sort_unstable();
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_others_are_none() {
        let start = Place { offset: 123, lines: u64::MAX };
        let segment = Segment { start, length: 7 };
        let path = segment.path(Path::new("/spool"));
        assert_eq!(Segment::of_name(path.file_name().unwrap().to_str().unwrap()), Some(start));
        assert_eq!(segment.end(), 130);
        for other in ["", "cursor", "refused.log", "1-2.log", "00000000000000000001-00000000000000000002.tmp"] {
            assert_eq!(Segment::of_name(other), None, "{other}");
        }
        assert_eq!(Segment::of_name("+0000000000000000001-00000000000000000002.log"), None);
    }
}
