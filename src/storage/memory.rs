//! A store that is gone when the process ends, for development servers and tests.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;

use super::ledger::enter;
use super::listing::{Listing, Step};
use super::snapshot::Copied;
use super::writer::Changes;
use super::{Batch, Generation, Key, Lineage, Page, Snapshot, Storage, StorageError};

/// Everything in the memory of this process. The values are ciphertext here as in every store.
#[derive(Default)]
pub struct MemoryStorage {
    // A panic cannot leave the map half written: a batch is checked before the first write, and writes do not fail.
    records: RwLock<BTreeMap<String, Vec<u8>>>,
    commits: AtomicU64,
}

impl MemoryStorage {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn now(&self) -> Generation {
        // Nothing outlives the process that a lineage would have to tell apart.
        Generation { lineage: Lineage::new([0; Lineage::LEN]), number: self.commits.load(Ordering::Relaxed) }
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        Ok(records.get(key.as_str()).cloned())
    }

    async fn list(&self, prefix: &str, page: Page) -> Result<Vec<String>, StorageError> {
        let mut listing = Listing::new(prefix, &page)?;
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        let mut from = listing.start().map(str::to_owned);
        while let Some(start) = from.take() {
            for (key, _) in records.range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded)) {
                match listing.visit(key) {
                    Step::Next => continue,
                    Step::Seek(next) => from = Some(next),
                    Step::Stop => {}
                }
                break;
            }
        }
        Ok(listing.into_names())
    }

    async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        let holds =
            |(key, expected): &(Key, super::Expected)| expected.holds(records.get(key.as_str()).map(Vec::as_slice));
        if !batch.expectations().iter().all(holds) {
            return Err(StorageError::Conflict);
        }
        let ledger = batch.ledger().cloned();
        let (writes, _settling) = batch.into_writes();
        let mut changes: Changes = writes.into_iter().collect();
        enter(ledger.as_deref(), &mut changes, &mut |key| Ok(records.get(key.as_str()).cloned()))?;
        self.commits.fetch_add(1, Ordering::Relaxed);
        for (key, value) in changes {
            match value {
                Some(value) => records.insert(key.0, value),
                None => records.remove(key.as_str()),
            };
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(Copied { generation: self.now(), records: records.clone(), after: String::new() }))
    }

    async fn generation(&self) -> Result<Generation, StorageError> {
        Ok(self.now())
    }

    fn kind(&self) -> &'static str {
        "inmem"
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStorage").finish_non_exhaustive()
    }
}
