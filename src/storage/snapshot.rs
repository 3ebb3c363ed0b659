//! One state of a store, read in order while others write.
//!
//! The stores on disk keep, for each snapshot that is being read, what a commit replaces in the part that was not read yet.
//! So a snapshot costs nothing but for what changes meanwhile, it works alike over every database, and it survives the
//! database being closed and opened again on a full disk. What is kept is bounded by [`KEPT_BYTES`].

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;

use super::writer::Changes;
use super::{Key, StorageError};

/// How much of what was replaced is kept for one snapshot, in bytes of keys and values. Beyond it the snapshot is given up.
const KEPT_BYTES: usize = 64 << 20;
/// Records in one page at most.
const PAGE_RECORDS: usize = 512;
/// Bytes of values in a page, behind which no further record is added.
const PAGE_BYTES: usize = 1 << 20;

/// One state of a store: what was there when it was taken, whatever was written since. Reading blocks the thread.
pub trait Snapshot: Send + fmt::Debug {
    /// Which state it is.
    fn generation(&self) -> Generation;

    /// The next records in the order of their keys; none at the end. After an error the same page is tried again: go on
    /// behind it with [`Snapshot::seek`].
    fn next_page(&mut self) -> Result<Vec<Stored>, StorageError>;

    /// Goes on with the first record behind `after`, which lies ahead.
    fn seek(&mut self, after: &str);
}

/// A record of a snapshot.
#[derive(Debug)]
pub struct Stored {
    /// Its key.
    pub key: Key,
    /// Its value, or why it cannot be read.
    pub value: Result<Vec<u8>, StorageError>,
}

/// Names one state of a store: which store, and how many transactions it has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Which store. A store that a backup is restored into is another one.
    pub lineage: Lineage,
    /// How many transactions it has had. It never falls, but by a store being replaced by an older one.
    pub number: u64,
}

/// Names a store from its creation on. No secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lineage([u8; Self::LEN]);

impl Lineage {
    /// Its length in bytes.
    pub const LEN: usize = 16;

    /// The lineage of these bytes.
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Reads what `Display` writes: 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A page in the making, filled by a database.
#[derive(Debug, Default)]
pub(super) struct Page {
    records: BTreeMap<String, Result<Vec<u8>, StorageError>>,
    bytes: usize,
}

impl Page {
    /// Takes in a record, and says whether there is room for more.
    pub(super) fn add(&mut self, key: &str, value: Result<Vec<u8>, StorageError>) -> bool {
        self.bytes = self.bytes.saturating_add(key.len() + value.as_ref().map_or(0, Vec::len));
        self.records.insert(key.to_owned(), value);
        self.records.len() < PAGE_RECORDS && self.bytes < PAGE_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn last(&self) -> Option<String> {
        self.records.last_key_value().map(|(key, _)| key.clone())
    }

    /// The page as it is.
    pub(super) fn stored(self) -> Result<Vec<Stored>, StorageError> {
        self.restored(BTreeMap::new())
    }

    /// The page as it was before what `replaced` tells was written.
    fn restored(mut self, replaced: BTreeMap<String, Option<Vec<u8>>>) -> Result<Vec<Stored>, StorageError> {
        for (key, value) in replaced {
            match value {
                Some(value) => self.records.insert(key, Ok(value)),
                None => self.records.remove(&key),
            };
        }
        let unreadable = |_| StorageError::Damaged("the name of a record cannot be read".into());
        let stored = |(key, value)| Ok(Stored { key: Key::new(key).map_err(unreadable)?, value });
        self.records.into_iter().map(stored).collect()
    }
}

/// The snapshots of one store that are being read.
#[derive(Debug, Default)]
pub(super) struct Snapshots(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    next: u64,
    readings: BTreeMap<u64, Reading>,
}

/// How far a snapshot was read, and what was replaced in what lies ahead.
#[derive(Debug, Default)]
struct Reading {
    /// The last key that was read; empty at the beginning.
    after: String,
    ended: bool,
    replaced: BTreeMap<String, Option<Vec<u8>>>,
    bytes: usize,
    given_up: bool,
}

impl Snapshots {
    /// Begins a snapshot of the state that `state` reads, between two commits. Gives its number, and what `state` read.
    pub(super) fn begin<T>(&self, state: impl FnOnce() -> Result<T, StorageError>) -> Result<(u64, T), StorageError> {
        let mut open = self.lock();
        let state = state()?;
        let number = open.next;
        open.next += 1;
        open.readings.insert(number, Reading::default());
        Ok((number, state))
    }

    /// Runs `f` between two commits.
    pub(super) fn between_commits<T>(&self, f: impl FnOnce() -> T) -> T {
        let _open = self.lock();
        f()
    }

    /// The snapshot is not read any further.
    pub(super) fn end(&self, number: u64) {
        self.lock().readings.remove(&number);
    }

    /// Goes on behind `after`.
    pub(super) fn seek(&self, number: u64, after: &str) {
        if let Some(reading) = self.lock().readings.get_mut(&number) {
            reading.pass(after.to_owned());
        }
    }

    /// Runs `commit`, which writes `changes`, after what it replaces was kept for those who still want it. `value` reads
    /// what is committed at a key.
    pub(super) fn commit(
        &self,
        changes: &Changes,
        value: impl Fn(&Key) -> Result<Option<Vec<u8>>, StorageError>,
        commit: impl FnOnce() -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut open = self.lock();
        for reading in open.readings.values_mut() {
            for key in changes.keys() {
                reading.keep(key, &value);
            }
        }
        // Under the lock: a page is read either before or after all of this.
        commit()
    }

    /// The next page of a snapshot. `scan` fills a page with what is committed behind a key, and says whether that was all.
    pub(super) fn page(
        &self,
        number: u64,
        scan: impl Fn(&str, &mut Page) -> Result<bool, StorageError>,
    ) -> Result<Vec<Stored>, StorageError> {
        let mut open = self.lock();
        let reading = open.readings.get_mut(&number).ok_or(StorageError::ReadOnly)?;
        while !reading.ended {
            if reading.given_up {
                return Err(StorageError::Overtaken);
            }
            let mut page = Page::default();
            let is_last = match scan(&reading.after, &mut page) {
                Ok(is_last) => is_last,
                Err(error) if page.is_empty() => return Err(error),
                // What came before the error is good; the next page meets it again.
                Err(_) => false,
            };
            let last = if is_last { None } else { page.last() };
            let replaced = reading.take_up_to(last.as_deref());
            match last {
                Some(last) => reading.pass(last),
                None => reading.ended = true,
            }
            let records = page.restored(replaced)?;
            if !records.is_empty() {
                return Ok(records);
            }
        }
        Ok(Vec::new())
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    fn keep(&mut self, key: &Key, value: impl Fn(&Key) -> Result<Option<Vec<u8>>, StorageError>) {
        let is_ahead = !self.ended && !self.given_up && key.as_str() > self.after.as_str();
        if !is_ahead || self.replaced.contains_key(key.as_str()) {
            return;
        }
        // Whoever writes is not to fail for the sake of one who reads.
        let Ok(value) = value(key) else {
            self.give_up();
            return;
        };
        self.bytes = self.bytes.saturating_add(key.as_str().len() + value.as_ref().map_or(0, Vec::len));
        self.replaced.insert(key.as_str().to_owned(), value);
        if self.bytes > KEPT_BYTES {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        self.given_up = true;
        self.replaced.clear();
    }

    /// What was replaced up to `last`; all of it for nothing.
    fn take_up_to(&mut self, last: Option<&str>) -> BTreeMap<String, Option<Vec<u8>>> {
        let ahead = last.map_or_else(BTreeMap::new, |last| {
            let mut ahead = self.replaced.split_off(last);
            if let Some(value) = ahead.remove(last) {
                self.replaced.insert(last.to_owned(), value);
            }
            ahead
        });
        let taken = std::mem::replace(&mut self.replaced, ahead);
        let bytes: usize = taken.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        taken
    }

    /// What is not behind `after` is not wanted any more.
    fn pass(&mut self, after: String) {
        drop(self.take_up_to(Some(&after)));
        self.after = after;
    }
}

/// A snapshot of what is in memory already: in its own copy.
#[derive(Debug)]
pub(super) struct Copied {
    pub(super) generation: Generation,
    pub(super) records: BTreeMap<String, Vec<u8>>,
    pub(super) after: String,
}

impl Snapshot for Copied {
    fn generation(&self) -> Generation {
        self.generation
    }

    fn next_page(&mut self) -> Result<Vec<Stored>, StorageError> {
        let mut page = Page::default();
        let ahead = (Bound::Excluded(self.after.as_str()), Bound::Unbounded);
        for (key, value) in self.records.range::<str, _>(ahead) {
            if !page.add(key, Ok(value.clone())) {
                break;
            }
        }
        if let Some(last) = page.last() {
            self.after = last;
        }
        page.restored(BTreeMap::new())
    }

    fn seek(&mut self, after: &str) {
        after.clone_into(&mut self.after);
    }
}
