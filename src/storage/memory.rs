//! `inmem`: a store that forgets. For `arcad --dev` and for tests.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;

use super::{Batch, Key, Page, Storage, StorageError};

/// Keys and values in memory.
#[derive(Debug, Default)]
pub struct MemoryStorage(RwLock<BTreeMap<String, Vec<u8>>>);

impl MemoryStorage {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.0.read().unwrap_or_else(PoisonError::into_inner).get(key.as_str()).cloned())
    }

    async fn list(&self, prefix: &str, page: Page) -> Result<Vec<String>, StorageError> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut names = Vec::new();
        let mut from = match &page.after {
            // Behind a folder come the keys behind all that is in it: `0` is the character behind `/`.
            Some(after) if after.ends_with('/') => format!("{prefix}{}0", after.trim_end_matches('/')),
            Some(after) => format!("{prefix}{after}\0"),
            None => prefix.to_owned(),
        };
        while names.len() < page.limit.unwrap_or(usize::MAX) {
            let next = map.range::<String, _>((Bound::Included(&from), Bound::Unbounded)).next();
            let Some(rest) = next.and_then(|(key, _)| key.strip_prefix(prefix)) else { break };
            let name = rest.split_inclusive('/').next().unwrap_or(rest).to_owned();
            from = match name.strip_suffix('/') {
                Some(folder) => format!("{prefix}{folder}0"),
                None => format!("{prefix}{name}\0"),
            };
            names.push(name);
        }
        Ok(names)
    }

    async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let holds = |(key, expected): &(Key, super::Expected)| expected.holds(map.get(key.as_str()).map(Vec::as_slice));
        if !batch.expectations().iter().all(holds) {
            return Err(StorageError::Conflict);
        }
        for (key, value) in batch.writes() {
            match value {
                Some(value) => map.insert(key.as_str().to_owned(), value.clone()),
                None => map.remove(key.as_str()),
            };
        }
        Ok(())
    }

    fn kind(&self) -> &'static str {
        "inmem"
    }
}
