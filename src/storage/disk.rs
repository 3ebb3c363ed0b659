//! What the stores on disk have in common: opening, the freshness chain, and what happens after a failure.
//!
//! **After a failure.** The first error of the database or of the disk ends writing: commits are answered with
//! [`StorageError::ReadOnly`], reads go on, and the cause is in the log. There is one exception, the full disk. It is
//! a failure that an operator mends while the server runs, so the database is closed and opened again at once (the
//! reserve is given back first to make that possible), and its link tells what became of the transaction in question:
//! if it is there its callers are told so, otherwise they get [`StorageError::Full`], and nothing was written. As long
//! as the disk is full each commit is answered so; once there is room, the next one succeeds.
//!
//! **Why nothing else is tried again.** When a sync has failed, the operating system may have dropped what it could
//! not write, yet go on showing it to this process: a database opened again in this state would take lost pages for
//! written ones. The server must be restarted, after the disk has been looked at.
//!
//! **Panics** of a database (both have some that a damaged file can reach) are contained and count as damage. What
//! cannot be contained is an abort, as of an allocation without measure.

mod reading;

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use tokio::sync::RwLock;

use super::files::{self, Folder};
use super::freshness::{Link, Witness};
use super::listing::{Listing, Step};
use super::snapshot::{Page as SnapshotPage, Snapshots};
use super::writer::{Changes, Target, Writer};
use super::{Batch, Generation, Key, Lineage, Page, Snapshot, Storage, StorageError};
use crate::entropy::Entropy;
use crate::metrics::Metrics;

pub(super) use reading::Again;

/// The file of the witness.
pub(super) const WITNESS: &str = "witness";
/// How many transactions go by before the reserve is asked for again after it was given back.
const RESERVE_INTERVAL: u32 = 256;

/// Creates and opens the databases of one kind.
pub(super) trait Engine: Send + Sync + fmt::Debug + 'static {
    /// The kind of store, which is the name of its folder too.
    const KIND: &'static str;
    /// Whether a commit can be read before it is durable, so that readers must wait for it.
    const READERS_WAIT: bool;
    /// Whether it opens on a full disk. One that does not is left as it is, for reading, until there is room.
    const OPENS_WITHOUT_ROOM: bool;
    /// An open database.
    type Database: Database;

    /// Creates a database in `folder`, which is empty but for other files of the store, with `first` as its link, and
    /// closes it.
    fn create(&self, folder: &Path, first: &Link) -> Result<(), StorageError>;

    /// Opens the database in `folder`, after a look at all of it if its size allows.
    fn open(&self, folder: &Path) -> Result<Self::Database, StorageError>;

    /// Opens the database in `folder` that this process had open just now, without a further look at it.
    fn reopen(&self, folder: &Path) -> Result<Self::Database, StorageError>;

    /// Opens the witness in `folder`.
    fn witness(&self, folder: &Path) -> Result<Witness, StorageError> {
        Witness::open(&folder.join(WITNESS))
    }
}

/// An open database, closed by dropping it. One thread commits, any number read.
pub(super) trait Database: Send + Sync + 'static {
    /// The value at `key`.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError>;

    /// Shows the keys from `from` on, in byte order, as `visit` wants them.
    fn walk(&self, from: &str, visit: &mut dyn FnMut(&str) -> Step) -> Result<(), StorageError>;

    /// Adds records behind the key `after` to `page`, in byte order, until there is no more room in it. True if those were
    /// all.
    fn scan(&self, after: &str, page: &mut SnapshotPage) -> Result<bool, StorageError>;

    /// The link of the newest transaction.
    fn link(&self) -> Result<Link, StorageError>;

    /// Writes `changes` and `link` as one transaction; durable when it returns `Ok`.
    fn commit(&self, changes: &Changes, link: &Link) -> Result<(), StorageError>;

    /// Opens what the newest commit left a second time, past what is in memory of the files in `folder`. Nothing where that
    /// cannot be done. Called between two commits.
    fn again(&self, folder: &Path) -> Result<Option<Again<Self>>, StorageError>
    where
        Self: Sized,
    {
        let _ = folder;
        Ok(None)
    }
}

/// A store of the kind of `E`.
#[derive(Debug)]
pub(super) struct Disk<E: Engine> {
    // Dropped first: its thread uses the database.
    writer: Writer,
    shared: Arc<Shared<E>>,
}

#[derive(Debug)]
struct Shared<E: Engine> {
    engine: E,
    // Nothing while it is closed because a full disk did not even let it be opened again. Before `folder`, whose lock
    // must outlive it.
    database: RwLock<Option<Opened<E>>>,
    /// How often it was opened again.
    reopened: AtomicU64,
    snapshots: Snapshots,
    lineage: Lineage,
    folder: Folder,
}

/// An open database whose panics, also while it is closed, stay inside.
struct Opened<E: Engine> {
    database: Option<E::Database>,
    /// A commit met a full disk: what it has in memory of that may not be on disk. It is to be opened again.
    unsettled: AtomicBool,
}

/// The writer's side of a store.
#[derive(Debug)]
struct Committer<E: Engine> {
    shared: Arc<Shared<E>>,
    witness: Witness,
    condition: Condition,
    without_reserve: u32,
}

/// Whether the next commit is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    /// Everything has succeeded so far.
    Working,
    /// The disk was full, and the database could not be opened again yet.
    Full,
    /// Something failed; only a restart helps.
    ReadOnly,
}

impl<E: Engine> Disk<E> {
    /// Opens the store under `dir`, or creates it.
    pub(super) fn open(
        dir: &Path,
        engine: E,
        entropy: &dyn Entropy,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, StorageError> {
        let folder = Folder::open(dir, E::KIND, |folder| {
            let (_, first) = Witness::create(&folder.join(WITNESS), entropy)?;
            contain(|| engine.create(folder, &first))
        })?;
        let mut witness = engine.witness(folder.path())?;
        let database = Opened::new(|| engine.open(folder.path()))?;
        // Recovery may have written: what it found must be on disk before it is relied upon.
        files::settle(folder.path())?;
        witness.admit(&database.call(E::Database::link)?)?;
        if !folder.has_reserve() {
            folder.take_reserve();
        }
        let lineage = witness.lineage();
        let database = RwLock::new(Some(database));
        let (reopened, snapshots) = (AtomicU64::new(0), Snapshots::default());
        let shared = Arc::new(Shared { engine, database, reopened, snapshots, lineage, folder });
        let committer =
            Committer { shared: Arc::clone(&shared), witness, condition: Condition::Working, without_reserve: 0 };
        Ok(Self { writer: Writer::start("storage-writer", committer, metrics.clone())?, shared })
    }
}

#[async_trait]
impl<E: Engine> Storage for Disk<E> {
    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        opened(self.shared.database.read().await.as_ref())?.call(|database| database.get(key.as_str()))
    }

    async fn list(&self, prefix: &str, page: Page) -> Result<Vec<String>, StorageError> {
        let mut listing = Listing::new(prefix, &page)?;
        let Some(start) = listing.start().map(str::to_owned) else {
            return Ok(Vec::new());
        };
        let database = self.shared.database.read().await;
        opened(database.as_ref())?.call(|database| database.walk(&start, &mut |key| listing.visit(key)))?;
        Ok(listing.into_names())
    }

    async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        self.writer.commit(batch).await
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        reading::snapshot(&self.shared)
    }

    fn reread(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        reading::reread(&self.shared)
    }

    async fn generation(&self) -> Result<Generation, StorageError> {
        let link = opened(self.shared.database.read().await.as_ref())?.call(E::Database::link)?;
        Ok(Generation { lineage: self.shared.lineage, number: link.number() })
    }

    fn kind(&self) -> &'static str {
        E::KIND
    }
}

impl<E: Engine> Target for Committer<E> {
    fn prepare(&mut self) -> Result<(), StorageError> {
        match self.condition {
            Condition::Working => Ok(()),
            Condition::Full => self.reopen().map(|_| ()),
            Condition::ReadOnly => Err(StorageError::ReadOnly),
        }
    }

    fn value(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        let value = self.shared.value(key);
        value.map_err(|error| self.stop(error))
    }

    fn apply(&mut self, changes: &Changes) -> Result<(), StorageError> {
        let link = self.witness.next(changes);
        match self.shared.commit(changes, &link) {
            Ok(()) => self.acknowledge(&link),
            Err(StorageError::Full) => self.after_full(&link),
            Err(error) => Err(self.stop(error)),
        }
    }
}

impl<E: Engine> Committer<E> {
    /// The last step before the callers hear that their transaction is durable.
    fn acknowledge(&mut self, link: &Link) -> Result<(), StorageError> {
        // Even a full disk is no excuse here: the witness has its full length from the start.
        self.witness.record(link).map_err(|error| self.stop(error))?;
        if self.without_reserve > 0 {
            self.without_reserve += 1;
            if self.without_reserve > RESERVE_INTERVAL {
                self.shared.folder.take_reserve();
                self.without_reserve = u32::from(!self.shared.folder.has_reserve());
            }
        }
        Ok(())
    }

    /// Finds out what became of the transaction of `link`, which met a full disk.
    fn after_full(&mut self, link: &Link) -> Result<(), StorageError> {
        tracing::error!(store = E::KIND, "the disk is full: make room, writing goes on by itself then");
        self.condition = Condition::Full;
        self.shared.folder.give_reserve_back();
        self.without_reserve = 1;
        match self.reopen() {
            Ok(newest) if newest == *link => Ok(()),
            Ok(_) => Err(StorageError::Full),
            Err(error) => Err(StorageError::failed(error)),
        }
    }

    /// Closes the database and opens it again, once the disk has room for that. Gives its newest link.
    fn reopen(&mut self) -> Result<Link, StorageError> {
        if !E::OPENS_WITHOUT_ROOM {
            self.shared.folder.check_room()?;
        }
        match self.shared.reopen(&mut self.witness) {
            Ok(link) => {
                self.condition = Condition::Working;
                Ok(link)
            }
            Err(StorageError::Full) => Err(StorageError::Full),
            Err(error) => Err(self.stop(error)),
        }
    }

    /// Ends writing because of `error`, which is given back as the callers shall see it.
    fn stop(&mut self, error: StorageError) -> StorageError {
        tracing::error!(
            store = E::KIND,
            error = &error as &dyn std::error::Error,
            cause = std::error::Error::source(&error),
            "the store failed and is read-only now: look at the disk, then restart the server"
        );
        self.condition = Condition::ReadOnly;
        // The transaction may or may not be in the database, which "full" would deny.
        if matches!(error, StorageError::Full) { StorageError::failed(error) } else { error }
    }
}

impl<E: Engine> Shared<E> {
    fn value(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        opened(self.database.blocking_read().as_ref())?.call(|database| database.get(key.as_str()))
    }

    fn commit(&self, changes: &Changes, link: &Link) -> Result<(), StorageError> {
        if E::READERS_WAIT {
            self.write(opened(self.database.blocking_write().as_ref())?, changes, link)
        } else {
            self.write(opened(self.database.blocking_read().as_ref())?, changes, link)
        }
    }

    fn write(&self, database: &Opened<E>, changes: &Changes, link: &Link) -> Result<(), StorageError> {
        self.snapshots.commit(
            changes,
            |key| database.call(|database| database.get(key.as_str())),
            || database.commit(changes, link),
        )
    }

    fn reopen(&self, witness: &mut Witness) -> Result<Link, StorageError> {
        let mut slot = self.database.blocking_write();
        drop(slot.take());
        self.reopened.fetch_add(1, Ordering::SeqCst);
        let database = Opened::new(|| self.engine.reopen(self.folder.path()))?;
        files::settle(self.folder.path())?;
        let newest = database.call(E::Database::link)?;
        witness.admit(&newest)?;
        *slot = Some(database);
        Ok(newest)
    }
}

impl<E: Engine> Opened<E> {
    fn new(open: impl FnOnce() -> Result<E::Database, StorageError>) -> Result<Self, StorageError> {
        contain(open).map(|database| Self { database: Some(database), unsettled: AtomicBool::new(false) })
    }

    fn call<T>(&self, f: impl FnOnce(&E::Database) -> Result<T, StorageError>) -> Result<T, StorageError> {
        match contain(|| self.database.as_ref().map_or(Err(StorageError::ReadOnly), f)) {
            // Whether the files are damaged will be seen when it is opened again.
            Err(StorageError::Damaged(_)) if self.unsettled.load(Ordering::SeqCst) => Err(StorageError::Full),
            outcome => outcome,
        }
    }

    fn commit(&self, changes: &Changes, link: &Link) -> Result<(), StorageError> {
        self.call(|database| database.commit(changes, link)).inspect_err(|error| {
            if matches!(error, StorageError::Full) {
                self.unsettled.store(true, Ordering::SeqCst);
            }
        })
    }
}

impl<E: Engine> Drop for Opened<E> {
    fn drop(&mut self) {
        let database = self.database.take();
        // Everything acknowledged is on disk already: what closing would add is not needed.
        let _ = contain(|| {
            drop(database);
            Ok(())
        });
    }
}

impl<E: Engine> fmt::Debug for Opened<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(E::KIND)
    }
}

fn opened<E: Engine>(database: Option<&Opened<E>>) -> Result<&Opened<E>, StorageError> {
    database.ok_or(StorageError::Full)
}

/// Calls into a database; a panic there is damage to its files as far as anyone can tell.
fn contain<T>(f: impl FnOnce() -> Result<T, StorageError>) -> Result<T, StorageError> {
    // What a panic of the writer may leave half done is not written to again: any error of it ends writing.
    panic::catch_unwind(AssertUnwindSafe(f))
        .unwrap_or_else(|_| Err(StorageError::Damaged("the database gave up on what it read; see the log".into())))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, VecDeque};
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::entropy::{SeededEntropy, SystemEntropy};

    /// What the next commit, opening or reading does instead of its work.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Fault {
        None,
        FullBefore,
        FullAfter,
        Failed,
        Panic,
    }

    /// A database in memory that outlives being closed, and fails as it is told to.
    #[derive(Clone, Debug, Default)]
    struct Scripted {
        records: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
        link: Arc<Mutex<Option<Link>>>,
        commits: Arc<Mutex<VecDeque<Fault>>>,
        openings: Arc<Mutex<VecDeque<Fault>>>,
        reads: Arc<Mutex<VecDeque<Fault>>>,
    }

    impl Scripted {
        fn next(faults: &Mutex<VecDeque<Fault>>) -> Result<Option<StorageError>, StorageError> {
            let fault = faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match fault.unwrap_or(Fault::None) {
                Fault::None => Ok(None),
                Fault::FullBefore => Err(StorageError::Full),
                Fault::FullAfter => Ok(Some(StorageError::Full)),
                Fault::Failed => Err(StorageError::failed("an error of the disk")),
                Fault::Panic => panic!("the database met something that cannot be"),
            }
        }
    }

    impl Engine for Scripted {
        const KIND: &'static str = "redb";
        const READERS_WAIT: bool = false;
        const OPENS_WITHOUT_ROOM: bool = false;
        type Database = Self;

        fn create(&self, _: &Path, first: &Link) -> Result<(), StorageError> {
            self.commit(&Changes::new(), first)
        }

        fn open(&self, _: &Path) -> Result<Self, StorageError> {
            Self::next(&self.openings)?;
            Ok(self.clone())
        }

        fn reopen(&self, folder: &Path) -> Result<Self, StorageError> {
            self.open(folder)
        }
    }

    impl Database for Scripted {
        fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
            Self::next(&self.reads)?;
            Ok(self.records.lock().unwrap().get(key).cloned())
        }

        fn walk(&self, from: &str, visit: &mut dyn FnMut(&str) -> Step) -> Result<(), StorageError> {
            for key in self.records.lock().unwrap().range(from.to_owned()..).map(|(key, _)| key) {
                if visit(key) == Step::Stop {
                    break;
                }
            }
            Ok(())
        }

        fn scan(&self, after: &str, page: &mut SnapshotPage) -> Result<bool, StorageError> {
            Self::next(&self.reads)?;
            let records = self.records.lock().unwrap();
            let mut ahead = records.range(after.to_owned()..).filter(|(key, _)| key.as_str() > after);
            Ok(ahead.all(|(key, value)| page.add(key, Ok(value.clone()))))
        }

        fn link(&self) -> Result<Link, StorageError> {
            Ok(self.link.lock().unwrap().unwrap())
        }

        fn commit(&self, changes: &Changes, link: &Link) -> Result<(), StorageError> {
            let after = Self::next(&self.commits)?;
            for (key, value) in changes {
                match value {
                    Some(value) => self.records.lock().unwrap().insert(key.as_str().to_owned(), value.clone()),
                    None => self.records.lock().unwrap().remove(key.as_str()),
                };
            }
            *self.link.lock().unwrap() = Some(*link);
            after.map_or(Ok(()), Err)
        }
    }

    struct Subject {
        engine: Scripted,
        dir: tempfile::TempDir,
        disk: Option<Disk<Scripted>>,
    }

    impl Subject {
        fn new() -> Self {
            let (engine, dir) = (Scripted::default(), tempfile::tempdir().unwrap());
            let mut subject = Self { engine, dir, disk: None };
            subject.reopen().unwrap();
            subject
        }

        /// With faults for the commits to come.
        fn failing(faults: &[Fault]) -> Self {
            let subject = Self::new();
            subject.engine.commits.lock().unwrap().extend(faults);
            subject
        }

        fn reopen(&mut self) -> Result<(), StorageError> {
            self.disk = None;
            let metrics = Metrics::new(crate::time::Timestamp::from_unix_seconds(0));
            self.disk = Some(Disk::open(self.dir.path(), self.engine.clone(), &SystemEntropy::new(), &metrics)?);
            Ok(())
        }

        async fn put(&self, key: &str) -> Result<(), StorageError> {
            let mut batch = Batch::new();
            batch.put(Key::new(key).unwrap(), b"value".to_vec());
            self.disk.as_ref().unwrap().commit(batch).await
        }

        async fn list(&self) -> Vec<String> {
            self.disk.as_ref().unwrap().list("", Page::all()).await.unwrap()
        }

        fn has_reserve(&self) -> bool {
            self.disk.as_ref().unwrap().shared.folder.has_reserve()
        }
    }

    #[tokio::test]
    async fn after_a_full_disk_the_next_commit_is_tried() {
        let subject = Subject::failing(&[Fault::None, Fault::FullBefore, Fault::FullBefore]);
        subject.put("a").await.unwrap();
        assert!(subject.has_reserve());
        assert!(matches!(subject.put("b").await, Err(StorageError::Full)));
        assert!(!subject.has_reserve(), "the reserve is given back");
        assert!(matches!(subject.put("c").await, Err(StorageError::Full)));
        assert_eq!(subject.list().await, ["a"]);
        subject.put("d").await.unwrap();
        assert_eq!(subject.list().await, ["a", "d"]);
    }

    #[tokio::test]
    async fn a_commit_that_met_a_full_disk_too_late_has_succeeded() {
        let mut subject = Subject::failing(&[Fault::FullAfter]);
        subject.put("a").await.unwrap();
        subject.put("b").await.unwrap();
        subject.reopen().unwrap();
        assert_eq!(subject.list().await, ["a", "b"]);
    }

    #[tokio::test]
    async fn an_opening_that_meets_a_full_disk_is_tried_again() {
        let subject = Subject::failing(&[Fault::FullBefore]);
        subject.engine.openings.lock().unwrap().extend([Fault::FullBefore, Fault::FullBefore]);
        // Nobody can say yet what became of it, so this is not "full", which would mean that nothing was written.
        assert!(matches!(subject.put("a").await, Err(StorageError::Failed(_))));
        assert!(matches!(subject.put("b").await, Err(StorageError::Full)));
        subject.put("c").await.unwrap();
        assert_eq!(subject.list().await, ["c"]);
    }

    #[test]
    fn what_a_full_disk_left_in_memory_is_not_taken_for_damage() {
        let engine = Scripted::default();
        engine.reads.lock().unwrap().extend([Fault::Panic, Fault::Panic]);
        engine.commits.lock().unwrap().extend([Fault::FullBefore]);
        let opened: Opened<Scripted> = Opened::new(|| Ok(engine.clone())).unwrap();
        let read = || opened.call(|database| database.get("a"));
        assert!(matches!(read(), Err(StorageError::Damaged(_))));
        let link = Witness::create(&tempfile::tempdir().unwrap().path().join("w"), &SeededEntropy::new(1)).unwrap().1;
        assert!(matches!(opened.commit(&Changes::new(), &link), Err(StorageError::Full)));
        assert!(matches!(read(), Err(StorageError::Full)));
        assert!(matches!(read(), Ok(None)), "what can be read is read");
    }

    #[tokio::test]
    async fn any_other_error_ends_writing_and_not_reading() {
        for fault in [Fault::Failed, Fault::Panic] {
            let mut subject = Subject::failing(&[Fault::None, fault]);
            subject.put("a").await.unwrap();
            let error = subject.put("b").await.unwrap_err();
            assert!(matches!(error, StorageError::Failed(_) | StorageError::Damaged(_)), "{error:?}");
            assert!(matches!(subject.put("c").await, Err(StorageError::ReadOnly)));
            assert_eq!(subject.list().await, ["a"]);
            subject.reopen().unwrap();
            subject.put("c").await.unwrap();
            assert_eq!(subject.list().await, ["a", "c"]);
        }
    }

    #[tokio::test]
    async fn a_database_that_is_behind_when_reopened_ends_writing() {
        let subject = Subject::failing(&[Fault::None, Fault::None, Fault::FullBefore]);
        let first = subject.engine.link().unwrap();
        subject.put("a").await.unwrap();
        subject.put("b").await.unwrap();
        *subject.engine.link.lock().unwrap() = Some(first);
        assert!(matches!(subject.put("c").await, Err(StorageError::Failed(_))));
        assert!(matches!(subject.put("d").await, Err(StorageError::ReadOnly)));
    }

    #[tokio::test]
    async fn a_panic_while_reading_or_opening_is_damage() {
        let mut subject = Subject::new();
        subject.put("a").await.unwrap();
        subject.engine.reads.lock().unwrap().push_back(Fault::Panic);
        let key = Key::new("a").unwrap();
        let disk = subject.disk.as_ref().unwrap();
        assert!(matches!(disk.get(&key).await, Err(StorageError::Damaged(_))));
        assert_eq!(disk.get(&key).await.unwrap().unwrap(), b"value");
        subject.engine.openings.lock().unwrap().push_back(Fault::Panic);
        assert!(matches!(subject.reopen(), Err(StorageError::Damaged(_))));
    }

    #[tokio::test]
    async fn an_expectation_that_cannot_be_read_ends_writing() {
        let subject = Subject::new();
        subject.engine.reads.lock().unwrap().push_back(Fault::Failed);
        let mut batch = Batch::new();
        batch.expect(Key::new("a").unwrap(), crate::storage::Expected::Absent);
        assert!(matches!(subject.disk.as_ref().unwrap().commit(batch).await, Err(StorageError::Failed(_))));
        assert!(matches!(subject.put("a").await, Err(StorageError::ReadOnly)));
    }

    #[tokio::test]
    async fn the_reserve_is_taken_again_later() {
        let subject = Subject::failing(&[Fault::FullBefore]);
        assert!(matches!(subject.put("a").await, Err(StorageError::Full)));
        assert!(!subject.has_reserve());
        for _ in 0..=RESERVE_INTERVAL {
            subject.put("a").await.unwrap();
        }
        assert!(subject.has_reserve());
    }
}
