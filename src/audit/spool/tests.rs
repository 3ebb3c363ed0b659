use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::chain::{ChainWriter, Link, NodeId, Recovered, SigningKey};
use crate::entropy::SeededEntropy;
use crate::time::Timestamp;

fn bounds() -> Bounds {
    Bounds { max_bytes: 1 << 20, full: WhenFull::Block, durable: false }
}

fn open(folder: &Path) -> (SpoolWriter, Cursor) {
    Spool::open(folder, bounds(), Arc::default()).unwrap()
}

/// Lines of a chain, as a device writes them.
struct Lines(ChainWriter);

impl Lines {
    fn new() -> Self {
        let key = SigningKey::from_pkcs8(&SigningKey::generate(&SeededEntropy::new(1)).unwrap()).unwrap();
        let mut chain = ChainWriter::new(NodeId::new("n1").unwrap(), "siem/", "", Arc::new(key), 1_000_000).unwrap();
        chain.open(&Recovered::nothing(), None, Timestamp::from_unix_seconds(1), &mut Vec::new()).unwrap();
        Self(chain)
    }

    fn next(&mut self, count: usize, padding: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..count {
            let entry = format!("{{\"type\":\"request\",\"x\":\"{}\"", "x".repeat(padding));
            self.0.entry(entry.as_bytes(), Timestamp::from_unix_seconds(2), &mut out);
        }
        out
    }

    fn last(&self) -> Link {
        self.0.position().link()
    }
}

/// All lines from `from` on, in batches.
fn rest(spool: &Spool, from: Place, max: usize) -> (Vec<u8>, Place) {
    let (mut all, mut place) = (Vec::new(), from);
    while let Some(batch) = spool.read(place, max).unwrap() {
        all.extend(batch.bytes);
        place = batch.end;
    }
    (all, place)
}

fn segments(folder: &Path) -> usize {
    segment::list(folder).unwrap().len()
}

#[test]
fn lines_come_out_as_they_went_in_and_the_folder_is_private() {
    let temporary = TempDir::new().unwrap();
    let folder = temporary.path().join("a/siem");
    let (mut writer, cursor) = open(&folder);
    assert_eq!(cursor, Cursor::at(Place::default()));
    let spool = writer.spool().clone();
    assert_eq!(spool.read(cursor.place, 100).unwrap(), None);
    let mut lines = Lines::new();
    let mut all = Vec::new();
    for count in 1..40 {
        let more = lines.next(count, 1000);
        writer.append(&more).unwrap();
        all.extend(more);
    }
    assert!(segments(&folder) > 3, "{}", segments(&folder));
    for max in [1, 3000, 1 << 20] {
        let (read, end) = rest(&spool, cursor.place, max);
        assert!(read == all, "{max}");
        assert_eq!((end.offset, end.lines), (all.len() as u64, 39 * 40 / 2));
    }
    let state = spool.gauges().read();
    assert_eq!((state.spool_bytes, state.spool_lines), (all.len() as u64, 39 * 40 / 2));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[test]
fn what_was_delivered_is_removed_and_a_restart_goes_on_behind_it() {
    let temporary = TempDir::new().unwrap();
    let folder = temporary.path();
    let mut lines = Lines::new();
    let (mut writer, _) = open(folder);
    for _ in 0..30 {
        writer.append(&lines.next(10, 1000)).unwrap();
    }
    let before = segments(folder);
    let spool = writer.spool().clone();
    let batch = spool.read(Place::default(), 200_000).unwrap().unwrap();
    let cursor = Cursor { place: batch.end, last: None };
    spool.settle(&cursor).unwrap();
    assert!(segments(folder) < before);
    let (expected, _) = rest(&spool, cursor.place, 1000);
    drop((writer, spool));
    let (mut writer, found) = open(folder);
    assert_eq!(found, cursor);
    assert_eq!(writer.recover().unwrap().last, lines.last());
    let more = lines.next(1, 10);
    writer.append(&more).unwrap();
    let (read, end) = rest(writer.spool(), found.place, 5000);
    assert!(read == [expected, more].concat());
    // All of it: the last segment stays, for the chain.
    writer.spool().settle(&Cursor { place: end, last: Some(lines.last()) }).unwrap();
    assert_eq!((segments(folder), writer.spool().gauges().read().spool_lines), (1, 0));
}

#[test]
fn without_a_cursor_everything_that_is_left_is_sent_again() {
    let temporary = TempDir::new().unwrap();
    let folder = temporary.path();
    let mut lines = Lines::new();
    let (mut writer, _) = open(folder);
    let all = lines.next(20, 100);
    writer.append(&all).unwrap();
    let batch = writer.spool().read(Place::default(), 1000).unwrap().unwrap();
    writer.spool().settle(&Cursor::at(batch.end)).unwrap();
    drop(writer);
    for damage in [None, Some("")] {
        match damage {
            None => fs::remove_file(folder.join("cursor")).unwrap(),
            Some(text) => fs::write(folder.join("cursor"), text).unwrap(),
        }
        let (writer, cursor) = open(folder);
        assert!(rest(writer.spool(), cursor.place, 1000).0 == all);
    }
}

#[test]
fn two_writers_cannot_share_a_spool() {
    let temporary = TempDir::new().unwrap();
    let (writer, _) = open(temporary.path());
    assert!(matches!(Spool::open(temporary.path(), bounds(), Arc::default()), Err(SinkError::InUse)));
    drop(writer);
    open(temporary.path());
}

/// A power failure took the end of the spool, which the other side has.
#[test]
fn the_chain_goes_on_behind_what_was_delivered_even_if_it_is_lost_here() {
    let temporary = TempDir::new().unwrap();
    let folder = temporary.path();
    let mut lines = Lines::new();
    let (mut writer, _) = open(folder);
    let first = lines.next(1, 10);
    writer.append(&first).unwrap();
    writer.append(&lines.next(3, 10)).unwrap();
    let (_, end) = rest(writer.spool(), Place::default(), 1 << 20);
    writer.spool().settle(&Cursor { place: end, last: Some(lines.last()) }).unwrap();
    drop(writer);
    let path = segment::list(folder).unwrap()[0].path(folder);
    fs::write(&path, &first).unwrap();
    for remove in [false, true] {
        if remove {
            fs::remove_file(&path).unwrap();
        }
        let (mut writer, cursor) = open(folder);
        assert_eq!(cursor.place, end);
        let found = writer.recover().unwrap();
        assert_eq!((found.last, found.closed), (lines.last(), false));
        drop(writer);
    }
    let (mut writer, cursor) = open(folder);
    let more = lines.next(2, 10);
    writer.append(&more).unwrap();
    assert!(rest(writer.spool(), cursor.place, 1 << 20).0 == more);
}

#[test]
fn a_full_spool_says_so_and_a_huge_write_goes_through_an_empty_one() {
    let temporary = TempDir::new().unwrap();
    for (full, expected) in [(WhenFull::Block, Room::Refused), (WhenFull::Drop, Room::Dropped)] {
        let folder = temporary.path().join(format!("{full:?}"));
        let bounds = Bounds { full, ..bounds() };
        let (mut writer, _) = Spool::open(&folder, bounds, Arc::default()).unwrap();
        assert_eq!([2 << 20; 2].map(|bytes| writer.room(bytes)), [Room::Free; 2]);
        let mut lines = Lines::new();
        writer.append(&lines.next(1, 2 << 20)).unwrap();
        assert_eq!(writer.room(1), expected);
        let (_, end) = rest(writer.spool(), Place::default(), 1000);
        writer.spool().settle(&Cursor::at(end)).unwrap();
        assert_eq!(writer.room(1 << 20), Room::Free);
        writer.append(&lines.next(1, 10)).unwrap();
        assert_eq!(writer.room(1000), Room::Free);
        assert_eq!(writer.room(1 << 20), expected);
        // Opened anew it takes one entry, with which it is found to work.
        drop(writer);
        let bounds = Bounds { max_bytes: 500, full, durable: false };
        let (mut writer, _) = Spool::open(&folder, bounds, Arc::default()).unwrap();
        assert_eq!([1000; 2].map(|bytes| writer.room(bytes)), [Room::Free, expected]);
    }
}

#[test]
fn dropped_entries_are_counted_over_a_restart_until_a_line_tells_of_them() {
    let temporary = TempDir::new().unwrap();
    let folder = temporary.path();
    let mut lines = Lines::new();
    let (mut writer, _) = open(folder);
    writer.append(&lines.next(2, 10)).unwrap();
    let (first, second) = (Timestamp::from_unix_seconds(5), Timestamp::from_unix_seconds(6));
    writer.drop_entries(3, lines.last(), first).unwrap();
    writer.drop_entries(4, lines.last(), second).unwrap();
    drop(writer);
    let (mut writer, _) = open(folder);
    let dropped = writer.dropped().unwrap();
    assert_eq!(dropped, Dropped { entries: 7, since: first, after: lines.last().seq });
    // A crash after the line, before the record is removed.
    writer.append(&lines.next(1, 10)).unwrap();
    drop(writer);
    let (mut writer, _) = open(folder);
    assert_eq!(writer.dropped(), None);
    writer.drop_entries(1, lines.last(), first).unwrap();
    writer.dropped_is_told();
    drop(writer);
    assert_eq!(open(folder).0.dropped(), None);
}

#[test]
fn refused_lines_are_kept_within_bounds() {
    let temporary = TempDir::new().unwrap();
    let (writer, _) = open(temporary.path());
    writer.spool().refuse(b"one").unwrap();
    writer.spool().refuse(b"two").unwrap();
    assert_eq!(fs::read(temporary.path().join("refused.log")).unwrap(), b"one\ntwo\n");
    assert!(writer.spool().refuse(&vec![b'x'; 1 << 20]).is_err());
    assert_eq!(writer.spool().gauges().read().refused, 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However a crash cuts the last segment: whole lines stay, nothing else does, and the chain goes on behind them.
    #[test]
    fn a_crash_leaves_whole_lines(cut in 0_usize..3000, garbage in proptest::collection::vec(any::<u8>(), 0..50)) {
        let temporary = TempDir::new().unwrap();
        let folder = temporary.path();
        let mut lines = Lines::new();
        let (mut writer, _) = open(folder);
        let all = lines.next(8, 50);
        writer.append(&all).unwrap();
        drop(writer);
        let path = segment::list(folder).unwrap()[0].path(folder);
        let kept = all.len() - cut.min(all.len());
        fs::write(&path, [&all[..kept], &garbage].concat()).unwrap();
        let (mut writer, cursor) = open(folder);
        let (left, end) = rest(writer.spool(), cursor.place, 700);
        let whole = all[..kept].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        // A line that lacks nothing but its newline is whole, too.
        let completed = all[..kept].len() > whole && all.get(kept) == Some(&b'\n') && garbage.first().is_none_or(|byte| *byte == b'\n');
        prop_assert_eq!(left.len(), if completed { kept + 1 } else { whole });
        prop_assert_eq!(&left[..], &all[..left.len()]);
        prop_assert_eq!(end.lines, read::newlines(&left));
        let found = writer.recover().unwrap();
        prop_assert_eq!(found.last.seq, if end.lines == 0 { 0 } else { end.lines + 1 });
        prop_assert!(!found.unterminated);
        prop_assert_eq!(found.torn.is_some(), kept + garbage.len() > left.len());
        writer.append(b"next\n").unwrap();
        prop_assert_eq!(rest(writer.spool(), end, 700).0, b"next\n");
    }
}
