//! What a full spool did not take: counted on disk before anyone is told, until a line of the log says how many.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::time::Timestamp;

use super::record;

/// Entries that are not in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// How many.
    pub entries: u64,
    /// When the first of them came.
    pub since: Timestamp,
    /// The last line of the log before them. As soon as there is a later one, the log has told of them.
    pub after: u64,
}

impl Dropped {
    /// The record of it.
    pub fn encode(&self) -> String {
        let Self { entries, since, after } = self;
        record::encode(&format!("{KIND} {entries} {} {after}", since.unix_nanos()))
    }

    /// Reads a record; nothing for what is none.
    pub fn decode(text: &[u8]) -> Option<Self> {
        let words = record::decode(text, KIND)?;
        let [entries, since, after] = words.as_slice() else { return None };
        let since = Timestamp::from_unix_nanos(since.parse().ok()?);
        Some(Self { entries: entries.parse().ok()?, since, after: after.parse().ok()? })
    }
}

/// What is on record. A damaged record is an error: entries are missing, and how many is not known.
pub(super) fn load(folder: &Path) -> io::Result<Option<Dropped>> {
    let Some(text) = record::load(folder, NAME)? else { return Ok(None) };
    match Dropped::decode(&text) {
        Some(dropped) => Ok(Some(dropped)),
        None => Err(io::Error::new(
            ErrorKind::InvalidData,
            "the record of dropped entries is damaged: entries are missing from the log, and how many is not known; \
             remove the file `dropped` from the spool to go on",
        )),
    }
}

pub(super) fn store(folder: &Path, dropped: &Dropped, durable: bool) -> io::Result<()> {
    record::store(folder, NAME, &dropped.encode(), durable)
}

pub(super) fn forget(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join(NAME)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

const NAME: &str = "dropped";
const KIND: &str = "arca-audit-dropped-v1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_whole_or_not_at_all() {
        let dropped = Dropped { entries: 7, since: Timestamp::from_unix_nanos(-5), after: 99 };
        let text = dropped.encode().into_bytes();
        assert_eq!(Dropped::decode(&text), Some(dropped));
        for index in 0..text.len() {
            let mut changed = text.clone();
            changed[index] ^= 1;
            assert_eq!(Dropped::decode(&changed), None, "{index}");
            assert_eq!(Dropped::decode(&text[..index]), None, "{index}");
        }
    }

    #[test]
    fn a_damaged_one_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load(folder.path()).unwrap(), None);
        fs::write(folder.path().join(NAME), "7").unwrap();
        assert!(load(folder.path()).is_err());
        forget(folder.path()).unwrap();
        forget(folder.path()).unwrap();
        assert_eq!(load(folder.path()).unwrap(), None);
    }
}
