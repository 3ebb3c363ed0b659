//! `Measured`: a store whose answers are timed.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;

use super::{Batch, Generation, Key, Page, Snapshot, Storage, StorageError};
use crate::metrics::Metrics;

/// A store whose answers are timed. It adds nothing else to the store.
#[derive(Debug)]
pub struct Measured {
    inner: Arc<dyn Storage>,
    metrics: Arc<Metrics>,
}

impl Measured {
    /// `inner`, counted in `metrics`.
    pub fn new(inner: Arc<dyn Storage>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { inner, metrics })
    }
}

#[async_trait]
impl Storage for Measured {
    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        let start = Instant::now();
        let found = self.inner.get(key).await;
        self.metrics.storage.gets.since(start);
        found
    }

    async fn list(&self, prefix: &str, page: Page) -> Result<Vec<String>, StorageError> {
        let start = Instant::now();
        let found = self.inner.list(prefix, page).await;
        self.metrics.storage.lists.since(start);
        found
    }

    async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        let deletes = batch.writes().iter().filter(|(_, value)| value.is_none()).count();
        let puts = batch.writes().len() - deletes;
        let start = Instant::now();
        let committed = self.inner.commit(batch).await;
        let counted = |number| u32::try_from(number).unwrap_or(u32::MAX);
        match &committed {
            Ok(()) => self.metrics.storage.committed(start, Instant::now(), counted(puts), counted(deletes)),
            Err(StorageError::Conflict) => self.metrics.storage.conflicts.add(),
            // The writer counts the transactions that fail.
            Err(_) => {}
        }
        committed
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        self.inner.snapshot()
    }

    fn reread(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        self.inner.reread()
    }

    async fn generation(&self) -> Result<Generation, StorageError> {
        self.inner.generation().await
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Expected, MemoryStorage};
    use crate::time::Timestamp;

    #[tokio::test]
    async fn what_is_asked_is_counted() {
        let metrics = Metrics::new(Timestamp::from_unix_seconds(0));
        let store = Measured::new(Arc::new(MemoryStorage::new()), metrics.clone());
        let key = Key::new("a").unwrap();
        let mut batch = Batch::new();
        batch.put(key.clone(), vec![1]);
        batch.put(Key::new("b").unwrap(), vec![2]);
        batch.delete(Key::new("c").unwrap());
        store.commit(batch).await.unwrap();
        let mut refused = Batch::new();
        refused.expect(key.clone(), Expected::Absent);
        refused.put(key.clone(), vec![3]);
        assert!(matches!(store.commit(refused).await, Err(StorageError::Conflict)));
        assert_eq!(store.get(&key).await.unwrap(), Some(vec![1]));
        assert_eq!(store.list("", Page::all()).await.unwrap(), ["a", "b"]);
        let text = metrics.page().text("vault");
        for line in [
            "vault_barrier_put_count 2",
            "vault_barrier_delete_count 1",
            "vault_barrier_get_count 1",
            "vault_barrier_list_count 1",
            "arca_storage_conflicts_total 1",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is missing in:\n{text}");
        }
    }
}
