//! `Cached`: records of one type, of which those that are asked for most stay in memory, decrypted and decoded.
//!
//! For records that many requests read and few change.

use std::fmt;
use std::sync::Arc;

use crate::error::Result;

use super::record::Record;
use super::{Kept, Txn, View};

/// A [`View`] of records of one type, with a memory of so many of them.
pub struct Cached<R> {
    view: View,
    kept: Kept<Arc<R>>,
}

impl<R: Record + Send + Sync + 'static> Cached<R> {
    /// The records in `view`, of which at most `capacity` are kept.
    pub fn new(view: View, capacity: usize) -> Self {
        Self { view, kept: Kept::new(capacity) }
    }

    /// The record at `key`.
    pub async fn get(&self, key: &str) -> Result<Option<Arc<R>>> {
        self.kept.get_or_read(key, async || Ok(self.view.get::<R>(key).await?.map(Arc::new))).await
    }

    /// The record at `key`, which must be the same when `txn` is committed: see [`View::fetch`].
    pub async fn fetch(&self, txn: &mut Txn, key: &str) -> Result<Option<R>> {
        self.view.fetch(txn, key).await
    }

    /// Writes `record` at `key`.
    pub fn put(&self, txn: &mut Txn, key: &str, record: &R) -> Result<()> {
        self.kept.forget_when_settled(txn, key);
        self.view.put(txn, key, record)
    }

    /// Writes `record` at `key`, where nothing may be yet.
    pub fn insert(&self, txn: &mut Txn, key: &str, record: &R) -> Result<()> {
        self.view.insert(txn, key, record)
    }

    /// Removes the record at `key`, if there is one.
    pub fn delete(&self, txn: &mut Txn, key: &str) -> Result<()> {
        self.kept.forget_when_settled(txn, key);
        self.view.delete(txn, key)
    }
}

impl<R> fmt::Debug for Cached<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("view", &self.view).field("kept", &self.kept).finish()
    }
}
