//! `Cached`: records of one type, of which those that are asked for most stay in memory, decrypted and decoded.
//!
//! For records that many requests read and few change. Nothing stale is served: a change takes the record out before it
//! is acknowledged, and what was read before the change is not put in after it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;

use crate::error::Result;

use super::record::Record;
use super::{Txn, View};

/// A [`View`] of records of one type, with a memory of so many of them.
pub struct Cached<R> {
    view: View,
    kept: Arc<Kept<R>>,
}

struct Kept<R> {
    records: Cache<Box<str>, Arc<R>>,
    /// Counts the changes.
    changes: Mutex<u64>,
}

impl<R: Record + Send + Sync + 'static> Cached<R> {
    /// The records in `view`, of which at most `capacity` are kept.
    pub fn new(view: View, capacity: usize) -> Self {
        Self { view, kept: Arc::new(Kept { records: Cache::new(capacity), changes: Mutex::default() }) }
    }

    /// The record at `key`.
    pub async fn get(&self, key: &str) -> Result<Option<Arc<R>>> {
        if let Some(record) = self.kept.records.get(key) {
            return Ok(Some(record));
        }
        let changes = *self.kept.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(record) = self.view.get::<R>(key).await? else { return Ok(None) };
        let record = Arc::new(record);
        self.kept.keep(key, &record, changes);
        Ok(Some(record))
    }

    /// The record at `key`, which must be the same when `txn` is committed: see [`View::fetch`].
    pub async fn fetch(&self, txn: &mut Txn, key: &str) -> Result<Option<R>> {
        self.view.fetch(txn, key).await
    }

    /// Writes `record` at `key`.
    pub fn put(&self, txn: &mut Txn, key: &str, record: &R) -> Result<()> {
        self.forget(txn, key);
        self.view.put(txn, key, record)
    }

    /// Writes `record` at `key`, where nothing may be yet.
    pub fn insert(&self, txn: &mut Txn, key: &str, record: &R) -> Result<()> {
        self.view.insert(txn, key, record)
    }

    /// Removes the record at `key`, if there is one.
    pub fn delete(&self, txn: &mut Txn, key: &str) -> Result<()> {
        self.forget(txn, key);
        self.view.delete(txn, key)
    }

    fn forget(&self, txn: &mut Txn, key: &str) {
        let (kept, key) = (Arc::clone(&self.kept), Box::<str>::from(key));
        txn.on_settled(move || kept.forget(&key));
    }
}

impl<R> Kept<R> {
    /// Keeps what was read when there had been so many `changes`, if there was none since.
    fn keep(&self, key: &str, record: &Arc<R>, changes: u64) {
        let now = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if *now == changes {
            self.records.insert(key.into(), Arc::clone(record));
        }
    }

    fn forget(&self, key: &str) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        *changes = changes.wrapping_add(1);
        self.records.remove(key);
    }
}

impl<R> fmt::Debug for Cached<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("view", &self.view).field("kept", &self.kept.records.len()).finish()
    }
}
