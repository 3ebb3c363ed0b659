//! Test instruments: a store that fails when it is told to, and one over files that do.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Batch, Generation, Key, Page, Snapshot, Storage, StorageError, Stored};

pub use super::redb::{FaultyFiles, FileFault};

/// Whether a commit that fails has happened all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It failed before anything was written.
    Before,
    /// It was written, and the failure came before the caller heard of it.
    After,
}

/// Hands everything on to another store, but lets chosen commits and reads fail. For tests only: put it before a
/// [`MemoryStorage`](super::MemoryStorage), run an operation with the first commit failing, then with the second, and
/// so on, and check after each that what the operation left behind is whole.
pub struct FaultyStorage {
    inner: Arc<dyn Storage>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    commits: u64,
    plan: Option<Plan>,
    reads: u64,
    failing_read: Option<(u64, StorageError)>,
}

struct Plan {
    number: u64,
    moment: Moment,
    error: StorageError,
    then_read_only: bool,
}

impl FaultyStorage {
    /// A store that behaves as `inner` until it is told otherwise.
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self { inner, state: Arc::default() }
    }

    /// Lets the `number`-th commit from the beginning (the first is 1) fail with `error`. Those after it succeed.
    pub fn fail_commit(&self, number: u64, moment: Moment, error: StorageError) {
        self.plan(Plan { number, moment, error, then_read_only: false });
    }

    /// Lets the `number`-th commit fail with `error` and all after it with [`StorageError::ReadOnly`], as the stores on
    /// disk do.
    pub fn break_at_commit(&self, number: u64, moment: Moment, error: StorageError) {
        self.plan(Plan { number, moment, error, then_read_only: true });
    }

    /// Lets the `number`-th read from the beginning (the first is 1) fail with `error`. Those after it succeed. A read is a
    /// value, a list, a snapshot, a page of a snapshot, or the generation.
    pub fn fail_read(&self, number: u64, error: StorageError) {
        lock(&self.state).failing_read = Some((number, error));
    }

    /// Lets nothing fail from now on.
    pub fn mend(&self) {
        let mut state = lock(&self.state);
        state.plan = None;
        state.failing_read = None;
    }

    /// How many commits were asked for up to now, failed ones included.
    pub fn commits(&self) -> u64 {
        lock(&self.state).commits
    }

    /// How many reads were asked for up to now, failed ones included.
    pub fn reads(&self) -> u64 {
        lock(&self.state).reads
    }

    fn plan(&self, plan: Plan) {
        lock(&self.state).plan = Some(plan);
    }

    /// Counts a commit, and tells how it fails if it does.
    fn count(&self) -> Option<(Moment, StorageError)> {
        let mut state = lock(&self.state);
        state.commits += 1;
        let commits = state.commits;
        let plan = state.plan.as_ref()?;
        match commits.cmp(&plan.number) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some((plan.moment, plan.error.repeated())),
            std::cmp::Ordering::Greater => plan.then_read_only.then_some((Moment::Before, StorageError::ReadOnly)),
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a read, and fails if it is the one that is to.
fn read(state: &Mutex<State>) -> Result<(), StorageError> {
    let mut state = lock(state);
    state.reads += 1;
    match &state.failing_read {
        Some((number, error)) if state.reads == *number => Err(error.repeated()),
        Some(_) | None => Ok(()),
    }
}

#[async_trait]
impl Storage for FaultyStorage {
    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        read(&self.state)?;
        self.inner.get(key).await
    }

    async fn list(&self, prefix: &str, page: Page) -> Result<Vec<String>, StorageError> {
        read(&self.state)?;
        self.inner.list(prefix, page).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        match self.count() {
            None => self.inner.commit(batch).await,
            Some((Moment::Before, error)) => Err(error),
            Some((Moment::After, error)) => {
                self.inner.commit(batch).await?;
                Err(error)
            }
        }
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        read(&self.state)?;
        let inner = self.inner.snapshot()?;
        Ok(Box::new(FaultySnapshot { inner, state: Arc::clone(&self.state) }))
    }

    fn reread(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        read(&self.state)?;
        let inner = self.inner.reread()?;
        Ok(Box::new(FaultySnapshot { inner, state: Arc::clone(&self.state) }))
    }

    async fn generation(&self) -> Result<Generation, StorageError> {
        read(&self.state)?;
        self.inner.generation().await
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }
}

impl fmt::Debug for FaultyStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStorage").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// A snapshot whose pages count as reads.
#[derive(Debug)]
struct FaultySnapshot {
    inner: Box<dyn Snapshot>,
    state: Arc<Mutex<State>>,
}

impl Snapshot for FaultySnapshot {
    fn generation(&self) -> Generation {
        self.inner.generation()
    }

    fn next_page(&mut self) -> Result<Vec<Stored>, StorageError> {
        read(&self.state)?;
        self.inner.next_page()
    }

    fn seek(&mut self, after: &str) {
        self.inner.seek(after);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commits, plan: _, reads, failing_read: _ } = self;
        f.debug_struct("State").field("commits", commits).field("reads", reads).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    fn faulty() -> FaultyStorage {
        FaultyStorage::new(Arc::new(MemoryStorage::new()))
    }

    async fn put(storage: &FaultyStorage, key: &str) -> Result<(), StorageError> {
        let mut batch = Batch::new();
        batch.put(Key::new(key).unwrap(), b"value".to_vec());
        storage.commit(batch).await
    }

    #[tokio::test]
    async fn only_the_chosen_commit_fails() {
        let storage = faulty();
        storage.fail_commit(2, Moment::Before, StorageError::Full);
        put(&storage, "a").await.unwrap();
        assert!(matches!(put(&storage, "b").await, Err(StorageError::Full)));
        put(&storage, "c").await.unwrap();
        assert_eq!(storage.list("", Page::all()).await.unwrap(), ["a", "c"]);
        assert_eq!(storage.commits(), 3);
    }

    #[tokio::test]
    async fn a_commit_that_fails_afterwards_has_happened() {
        let storage = faulty();
        storage.break_at_commit(1, Moment::After, StorageError::failed("the connection broke"));
        assert!(matches!(put(&storage, "a").await, Err(StorageError::Failed(_))));
        assert!(matches!(put(&storage, "b").await, Err(StorageError::ReadOnly)));
        assert_eq!(storage.list("", Page::all()).await.unwrap(), ["a"]);
        storage.mend();
        put(&storage, "b").await.unwrap();
        assert_eq!(storage.list("", Page::all()).await.unwrap(), ["a", "b"]);
    }
    #[tokio::test]
    async fn only_the_chosen_read_fails() {
        let storage = faulty();
        put(&storage, "a").await.unwrap();
        let key = Key::new("a").unwrap();
        let reads = async |number| {
            storage.fail_read(storage.reads() + number, StorageError::failed("the disk failed"));
            let value = storage.get(&key).await.is_ok();
            let list = storage.list("", Page::all()).await.is_ok();
            let generation = storage.generation().await.is_ok();
            let snapshot = storage.snapshot();
            let page = snapshot.as_ref().is_ok() && storage.snapshot().unwrap().next_page().is_ok();
            [value, list, generation, snapshot.is_ok(), page]
        };
        assert_eq!(reads(1).await, [false, true, true, true, true]);
        assert_eq!(reads(2).await, [true, false, true, true, true]);
        assert_eq!(reads(3).await, [true, true, false, true, true]);
        assert_eq!(reads(4).await, [true, true, true, false, false]);
        assert_eq!(reads(6).await, [true, true, true, true, false]);
        assert_eq!(reads(7).await, [true; 5]);
    }
}
