//! Stores that fail when they are told to, and what is left in them when the server ends.

use std::fmt;
use std::sync::Arc;

use arca::entropy::SystemEntropy;
use arca::metrics::Metrics;
use arca::storage::fault::{FaultyFiles, FaultyStorage, FileFault, Moment};
use arca::storage::{self, Batch, Generation, MemoryStorage, Opening, Storage, StorageError};
use arca::time::Timestamp;
use tempfile::TempDir;

use crate::support::{TestVault, copy_below};

/// A store of which something fails once. Its `Display` says what, and when.
pub(super) trait Medium: fmt::Display {
    /// The store.
    fn storage(&self) -> Arc<dyn Storage>;

    /// Lets it fail from here on.
    fn fail(&mut self, vault: &TestVault);

    /// Whether something has failed.
    fn was_hit(&self) -> bool;

    /// Lets nothing fail any more.
    fn mend(&self);

    /// Whether the server goes on: there was no room, and there is again.
    fn goes_on(&self) -> bool;

    /// Whether nothing can be there of what met the failure and was refused.
    fn spared(&self, vault: &TestVault) -> bool;

    /// The store that a server finds which is started after this one has ended at once.
    fn left(&self) -> Arc<dyn Storage>;
}

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// There was no room for it. There is for the next one, and the server goes on.
    NoRoom,
    /// The disk failed before it was written. The store is read-only from then on, and the server is started again.
    Lost,
    /// The disk failed when it was to be synced, but it is there. The store is read-only from then on.
    Written,
    /// It succeeds, as all others do, and none of them is there when the server is started again: as no store may do.
    Forgotten,
}

/// What a disk that fails answers.
pub(super) fn failed() -> StorageError {
    StorageError::Failed("the disk failed".into())
}

/// A store in memory of which one commit fails.
pub(super) struct Commits {
    way: Way,
    /// The failing commit, counted from 1.
    number: u64,
    memory: Arc<dyn Storage>,
    faulty: Arc<FaultyStorage>,
    /// The failing commit, counted from the beginning of the store.
    last: u64,
    /// What is left if commits are forgotten.
    before: Option<Arc<dyn Storage>>,
}

impl Commits {
    pub(super) fn new(way: Way, number: u64) -> Self {
        let memory: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let faulty = Arc::new(FaultyStorage::new(memory.clone()));
        Self { way, number, memory, faulty, last: 0, before: None }
    }
}

impl Medium for Commits {
    fn storage(&self) -> Arc<dyn Storage> {
        self.faulty.clone()
    }

    fn fail(&mut self, vault: &TestVault) {
        self.last = self.faulty.commits() + self.number;
        match self.way {
            Way::NoRoom => self.faulty.fail_commit(self.last, Moment::Before, StorageError::Full),
            Way::Lost => self.faulty.break_at_commit(self.last, Moment::Before, failed()),
            Way::Written => self.faulty.break_at_commit(self.last, Moment::After, failed()),
            Way::Forgotten => self.before = Some(copied(vault, &*self.memory)),
        }
    }

    fn was_hit(&self) -> bool {
        self.faulty.commits() >= self.last
    }

    fn mend(&self) {
        self.faulty.mend();
    }

    fn goes_on(&self) -> bool {
        self.way == Way::NoRoom
    }

    fn spared(&self, _: &TestVault) -> bool {
        // Nothing of it was written before. What a commit behind the first met is not undone.
        self.number == 1 && matches!(self.way, Way::NoRoom | Way::Lost)
    }

    fn left(&self) -> Arc<dyn Storage> {
        self.before.as_ref().unwrap_or(&self.memory).clone()
    }
}

impl fmt::Display for Commits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at commit {}", self.way, self.number)
    }
}

/// A store of its own with what is in `storage` now.
fn copied(vault: &TestVault, storage: &dyn Storage) -> Arc<dyn Storage> {
    let (mut snapshot, mut batch) = (storage.snapshot().unwrap(), Batch::new());
    loop {
        let page = snapshot.next_page().unwrap();
        if page.is_empty() {
            break;
        }
        for stored in page {
            batch.put(stored.key, stored.value.unwrap());
        }
    }
    let copy = MemoryStorage::new();
    vault.run(copy.commit(batch)).unwrap();
    Arc::new(copy)
}

/// A store in a redb database of which one write to a file fails, or one sync.
pub(super) struct Files {
    fault: FileFault,
    /// The failing write, or sync, counted from 1.
    number: u64,
    faulty: FaultyFiles,
    storage: Arc<dyn Storage>,
    folder: TempDir,
    /// Where a copy of its files is once the server has ended.
    copy: TempDir,
    /// The state in which nothing of the operation is there.
    before: Option<Generation>,
}

impl Files {
    pub(super) fn new(fault: FileFault, number: u64) -> Self {
        let (folder, copy, faulty) = (in_memory(), in_memory(), FaultyFiles::default());
        let storage = faulty.open(folder.path()).unwrap();
        Self { fault, number, faulty, storage, folder, copy, before: None }
    }
}

impl Medium for Files {
    fn storage(&self) -> Arc<dyn Storage> {
        self.storage.clone()
    }

    fn fail(&mut self, vault: &TestVault) {
        self.before = vault.run(self.storage.generation()).ok();
        self.faulty.fail(self.fault, self.number);
    }

    fn was_hit(&self) -> bool {
        self.faulty.was_hit()
    }

    fn mend(&self) {
        self.faulty.mend();
    }

    fn goes_on(&self) -> bool {
        // The witness needs none: it is an error of the disk if it is refused any.
        matches!(self.fault, FileFault::NoRoom | FileFault::HalfNoRoom) && !self.faulty.was_witness()
    }

    fn spared(&self, vault: &TestVault) -> bool {
        self.goes_on() && vault.run(self.storage.generation()).ok() == self.before
    }

    fn left(&self) -> Arc<dyn Storage> {
        self.faulty.between_writes(|| copy_below(self.folder.path(), self.copy.path()));
        let metrics = Metrics::new(Timestamp::from_unix_seconds(0));
        let opening = Opening { cache_bytes: 8 << 20, ..Opening::default() };
        storage::open("redb", self.copy.path(), opening, &SystemEntropy::new(), &metrics).unwrap()
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.fault == FileFault::Sync { "sync" } else { "write" };
        write!(f, "{:?} at {what} {}", self.fault, self.number)
    }
}

/// A folder in memory if there is one: no sync has to reach a disk here.
fn in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}
