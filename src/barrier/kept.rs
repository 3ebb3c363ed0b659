//! `Kept`: a bounded memory of what was read from the store. Nothing stale is served: a change takes the value out before
//! it is acknowledged, and what was read before the change is not put in after it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;

use crate::error::Result;

use super::Txn;

/// Values by their keys, of which those that are asked for most stay. A key that has no value is not kept, so that
/// made-up names cost no memory.
pub struct Kept<V>(Arc<Inner<V>>);

struct Inner<V> {
    values: Cache<Box<str>, V>,
    /// Counts the changes.
    changes: Mutex<u64>,
}

impl<V: Clone + Send + Sync + 'static> Kept<V> {
    /// A memory of at most `capacity` values.
    pub fn new(capacity: usize) -> Self {
        Self(Arc::new(Inner { values: Cache::new(capacity), changes: Mutex::default() }))
    }

    /// The value at `key`, which is read if it is not kept.
    pub async fn get_or_read(&self, key: &str, read: impl AsyncFnOnce() -> Result<Option<V>>) -> Result<Option<V>> {
        if let Some(value) = self.0.values.get(key) {
            return Ok(Some(value));
        }
        let changes = *self.0.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(value) = read().await? else { return Ok(None) };
        self.0.keep(key, &value, changes);
        Ok(Some(value))
    }

    /// Forgets the value at `key` when `txn` is settled, whatever came of it.
    pub fn forget_when_settled(&self, txn: &mut Txn, key: &str) {
        let (inner, key) = (Arc::clone(&self.0), Box::<str>::from(key));
        txn.on_settled(move || inner.forget(&key));
    }
}

impl<V: Clone> Inner<V> {
    /// Keeps what was read when there had been so many `changes`, if there was none since.
    fn keep(&self, key: &str, value: &V, changes: u64) {
        let now = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if *now == changes {
            self.values.insert(key.into(), value.clone());
        }
    }

    fn forget(&self, key: &str) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        *changes = changes.wrapping_add(1);
        self.values.remove(key);
    }
}

impl<V: Clone> fmt::Debug for Kept<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.values.len())
    }
}

#[cfg(test)]
mod tests;
