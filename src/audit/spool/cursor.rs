//! The cursor: how far the other side has the lines of a spool.

use std::io;
use std::path::Path;

use crate::chain::{LineHash, Link};

use super::record;

/// A place between two lines of a spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The bytes before it since the spool began.
    pub offset: u64,
    /// The lines before it.
    pub lines: u64,
}

/// How far the other side has the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Behind the last line that it has.
    pub place: Place,
    /// That line's place in the chain, if it is known: the chain goes on behind it even if the segments are lost.
    pub last: Option<Link>,
}

impl Cursor {
    /// At a place of which nothing else is known.
    pub fn at(place: Place) -> Self {
        Self { place, last: None }
    }

    /// The record of it.
    pub fn encode(&self) -> String {
        let Place { offset, lines } = self.place;
        let last = self.last.map_or_else(|| "-".to_owned(), |link| format!("{} {}", link.seq, link.hash));
        record::encode(&format!("{KIND} {offset} {lines} {last}"))
    }

    /// Reads a record; nothing for what is none.
    pub fn decode(text: &[u8]) -> Option<Self> {
        let words = record::decode(text, KIND)?;
        let (offset, lines, last) = match words.as_slice() {
            [offset, lines, "-"] => (offset, lines, None),
            [offset, lines, seq, hash] => {
                let link = Link { seq: seq.parse().ok()?, hash: LineHash::parse(hash.as_bytes())? };
                (offset, lines, Some(link))
            }
            _ => return None,
        };
        Some(Self { place: Place { offset: offset.parse().ok()?, lines: lines.parse().ok()? }, last })
    }
}

/// The cursor of a spool. A damaged one counts as none: everything that is left is sent again.
pub(super) fn load(folder: &Path) -> io::Result<Option<Cursor>> {
    let Some(text) = record::load(folder, NAME)? else { return Ok(None) };
    let cursor = Cursor::decode(&text);
    if cursor.is_none() {
        tracing::warn!(spool = %folder.display(), "the cursor of an audit spool is damaged; what is left is sent again");
    }
    Ok(cursor)
}

pub(super) fn store(folder: &Path, cursor: &Cursor, durable: bool) -> io::Result<()> {
    record::store(folder, NAME, &cursor.encode(), durable)
}

const NAME: &str = "cursor";
const KIND: &str = "arca-audit-cursor-v1";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_truncation_and_every_changed_byte_shows() {
        let cursor = Cursor { place: Place { offset: 77, lines: 3 }, last: Some(Link { seq: 9, ..Link::GENESIS }) };
        let text = cursor.encode().into_bytes();
        assert_eq!(Cursor::decode(&text), Some(cursor));
        for index in 0..text.len() {
            let mut changed = text.clone();
            changed[index] ^= 1;
            assert_eq!(Cursor::decode(&changed), None, "{index}");
            assert_eq!(Cursor::decode(&text[..index]), None, "{index}");
        }
        assert_eq!(Cursor::decode(record::encode("arca-audit-dropped-v1 1 2 -").as_bytes()), None);
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_back(offset: u64, lines: u64, seq in proptest::option::of(any::<u64>())) {
            let cursor = Cursor { place: Place { offset, lines }, last: seq.map(|seq| Link { seq, ..Link::GENESIS }) };
            prop_assert_eq!(Cursor::decode(cursor.encode().as_bytes()), Some(cursor));
        }

        #[test]
        fn anything_else_is_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Cursor::decode(&bytes), None);
        }
    }
}
