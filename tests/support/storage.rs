//! `Watched`: a store in memory, with something to be done before each commit.

use std::fmt;

use arca::storage::{Batch, Generation, Key, MemoryStorage, Page, Snapshot, Storage, StorageError};
use async_trait::async_trait;

/// What comes before each commit of a store.
#[async_trait]
pub(crate) trait Watcher: fmt::Debug + Send + Sync + 'static {
    /// Is shown the keys that are about to be written, and may take its time.
    async fn before(&self, keys: &[&str]);
}

/// A store in memory with a watcher.
#[derive(Debug)]
pub(crate) struct Watched<W> {
    inner: MemoryStorage,
    /// Sees each commit before it is made.
    pub(crate) watcher: W,
}

impl<W> Watched<W> {
    /// An empty one.
    pub(crate) fn new(watcher: W) -> Self {
        Self { inner: MemoryStorage::new(), watcher }
    }
}

#[async_trait]
impl<W: Watcher> Storage for Watched<W> {
    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        self.inner.get(key).await
    }

    async fn list(&self, prefix: &str, page: Page) -> Result<Vec<String>, StorageError> {
        self.inner.list(prefix, page).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        let keys: Vec<&str> = batch.writes().iter().map(|(key, _)| key.as_str()).collect();
        self.watcher.before(&keys).await;
        self.inner.commit(batch).await
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        self.inner.snapshot()
    }

    async fn generation(&self) -> Result<Generation, StorageError> {
        self.inner.generation().await
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }
}
