//! `View`: one area of the barrier, in types rather than bytes.

use std::sync::Arc;

use crate::error::Result;
use crate::storage::{Expected, Key, Page};

use super::record::{self, Record};
use super::{Barrier, Txn};

/// The prefix of an area: the id of the namespace, then what it is for. Part of every key, so that one tenant's records
/// cannot be reached from another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Arc<str>);

impl Scope {
    /// The area `area` (`mount/<uuid>`, `policy`, …) of a namespace.
    pub fn new(namespace_id: &str, area: &str) -> Self {
        Self(format!("ns/{namespace_id}/{area}").into())
    }

    /// All areas of a namespace, for removing it.
    pub fn of_namespace(namespace_id: &str) -> Self {
        Self(format!("ns/{namespace_id}").into())
    }

    /// Where the record of this name in the area lies.
    pub fn key(&self, name: &str) -> Result<Key> {
        Ok(Key::new(format!("{}/{name}", self.0))?)
    }
}

/// One area of the barrier. Reads see what was committed; writes go into a [`Txn`].
#[derive(Clone, Debug)]
pub struct View {
    barrier: Arc<Barrier>,
    scope: Scope,
}

impl View {
    pub(super) fn new(barrier: Arc<Barrier>, scope: Scope) -> Self {
        Self { barrier, scope }
    }

    /// The area `name` within this one.
    #[must_use]
    pub fn within(&self, name: &str) -> Self {
        Self { barrier: self.barrier.clone(), scope: Scope(format!("{}/{name}", self.scope.0).into()) }
    }

    /// The record at `key`.
    pub async fn get<R: Record>(&self, key: &str) -> Result<Option<R>> {
        let key = self.key(key)?;
        let Some(ciphertext) = self.barrier.storage().get(&key).await? else { return Ok(None) };
        self.decode(&key, ciphertext).map(Some)
    }

    /// The record at `key`, which must be the same when `txn` is committed: for a read whose outcome is written back.
    /// If it is not, the commit fails with a conflict and the request is tried again.
    pub async fn fetch<R: Record>(&self, txn: &mut Txn, key: &str) -> Result<Option<R>> {
        let key = self.key(key)?;
        let stored = self.barrier.storage().get(&key).await?;
        txn.expect(key.clone(), Expected::unchanged(stored.as_deref()));
        stored.map(|ciphertext| self.decode(&key, ciphertext)).transpose()
    }

    /// Whether there is a record at `key`.
    pub async fn exists(&self, key: &str) -> Result<bool> {
        Ok(self.barrier.storage().get(&self.key(key)?).await?.is_some())
    }

    /// The names directly below `prefix` (empty, or ending in a slash); folders end in a slash.
    pub async fn list(&self, prefix: &str, page: Page) -> Result<Vec<String>> {
        let prefix = format!("{}/{prefix}", self.scope.0);
        Ok(self.barrier.storage().list(&prefix, page).await?)
    }

    /// All keys below `prefix` (empty, or ending in a slash), relative to it, in order.
    pub async fn scan(&self, prefix: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let mut inner = Vec::new();
            for name in self.list(&format!("{prefix}{folder}"), Page::all()).await? {
                let path = format!("{folder}{name}");
                if name.ends_with('/') { inner.push(path) } else { found.push(path) }
            }
            folders.extend(inner.into_iter().rev());
        }
        found.sort_unstable();
        Ok(found)
    }

    /// How many keys there are, counted a window at a time.
    pub async fn count(&self) -> Result<u64> {
        const WINDOW: usize = 1024;
        let (mut count, mut folders) = (0, vec![String::new()]);
        while let Some(folder) = folders.pop() {
            let mut after = None;
            loop {
                let names = self.list(&folder, Page { after, limit: Some(WINDOW) }).await?;
                let is_last = names.len() < WINDOW;
                after = names.last().cloned();
                let inner = names.iter().filter(|name| name.ends_with('/'));
                folders.extend(inner.map(|name| format!("{folder}{name}")));
                count += u64::try_from(names.iter().filter(|name| !name.ends_with('/')).count()).unwrap_or_default();
                if is_last {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        Ok(count)
    }

    /// Writes `record` at `key`.
    pub fn put<R: Record>(&self, txn: &mut Txn, key: &str, record: &R) -> Result<()> {
        let key = self.key(key)?;
        let ciphertext = self.barrier.seal(key.as_str(), &record::encode(record)?)?;
        txn.put(key, ciphertext);
        Ok(())
    }

    /// Writes `record` at `key`, where nothing may be yet.
    pub fn insert<R: Record>(&self, txn: &mut Txn, key: &str, record: &R) -> Result<()> {
        txn.expect(self.key(key)?, Expected::Absent);
        self.put(txn, key, record)
    }

    /// Removes the record at `key`, if there is one.
    pub fn delete(&self, txn: &mut Txn, key: &str) -> Result<()> {
        txn.delete(self.key(key)?);
        Ok(())
    }

    /// Commits a transaction of its own; for work that no request waits for.
    pub async fn commit(&self, txn: Txn) -> Result<()> {
        self.barrier.commit(txn).await
    }

    fn key(&self, key: &str) -> Result<Key> {
        self.scope.key(key)
    }

    fn decode<R: Record>(&self, key: &Key, ciphertext: Vec<u8>) -> Result<R> {
        record::decode(&self.barrier.open(key.as_str(), ciphertext)?)
    }
}
