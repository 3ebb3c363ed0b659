//! The default store: [redb](https://docs.rs/redb), a copy-on-write B-tree in one file.
//!
//! Each transaction is synced in two phases with the allocator's state in it (redb's "quick repair"), so that opening
//! after a crash takes milliseconds however large the file is. Two tables: the records, and the newest link of the
//! freshness chain. `docs/decisions/0001-embedded-store.md` says why this is the default.

mod again;
mod faulty;
mod over;

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use redb::backends::FileBackend;
use redb::{
    BackendError, Builder, Durability, ReadOnlyTable, ReadableDatabase, StorageBackend, TableDefinition,
    WriteTransaction,
};

use super::disk::{Again, Database, Disk, Engine};
use super::freshness::Link;
use super::listing::Step;
use super::snapshot::Page as SnapshotPage;
use super::writer::Changes;
use super::{Opening, StorageError};
use crate::entropy::Entropy;
use crate::metrics::Metrics;

pub use faulty::{FaultyFiles, FileFault};
pub(super) use over::Over;

pub(super) const FILE: &str = "vault.redb";
const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
const CHAIN: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("chain");
const NEWEST: &str = "newest";
/// Up to this length of the file, in bytes, every page's checksum is verified at opening, which takes about half
/// a second. A longer file is trusted as its last commit left it, and damage to it shows when it is read.
const VERIFIED_BYTES: u64 = 128 << 20;

/// Opens the store in a redb database under the folder `dir`, or creates both. One process at a time can have it open.
///
/// Fails with [`StorageError::Damaged`] if the files are damaged or older than what was acknowledged.
pub(super) fn open(
    dir: &Path,
    opening: Opening,
    entropy: &dyn Entropy,
    metrics: &Arc<Metrics>,
) -> Result<Disk<Redb>, StorageError> {
    let cache_bytes = usize::try_from(opening.cache_bytes).unwrap_or(usize::MAX);
    Disk::open(dir, Redb { cache_bytes, verified: opening.verified(VERIFIED_BYTES) }, entropy, metrics)
}

#[derive(Debug)]
pub(super) struct Redb {
    pub(super) cache_bytes: usize,
    /// Up to this length of its file, in bytes, all of it is looked at when it is opened.
    pub(super) verified: u64,
}

impl Redb {
    fn builder(&self) -> Builder {
        let mut builder = Builder::new();
        builder.set_cache_size(self.cache_bytes);
        builder
    }

    /// The database in `folder`, verified if its file has at most `verified` bytes.
    fn opened(&self, folder: &Path, verified: u64) -> Result<Opened, StorageError> {
        let file = OpenOptions::new().read(true).write(true).open(folder.join(FILE)).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                StorageError::Damaged(format!("its database file, {FILE}, is missing"))
            } else {
                StorageError::from_io(error)
            }
        })?;
        let length = file.metadata().map_err(StorageError::from_io)?.len();
        if length == 0 {
            // redb would begin a new database in it.
            return Err(StorageError::Damaged(format!("its database file, {FILE}, is empty")));
        }
        let mut builder = self.builder();
        builder.set_check_integrity_on_open(length <= verified);
        builder.create_with_backend(Backend::new(file)?).map(Opened::new).map_err(fault)
    }
}

impl Engine for Redb {
    const KIND: &'static str = "redb";
    // Readers have snapshots of what is committed.
    const READERS_WAIT: bool = false;
    // It writes in place to do so. After an error it must: it does not even read then what is not in its cache.
    const OPENS_WITHOUT_ROOM: bool = true;
    type Database = Opened;

    fn create(&self, folder: &Path, first: &Link) -> Result<(), StorageError> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create_new(true).mode(0o600);
        let file = options.open(folder.join(FILE)).map_err(StorageError::from_io)?;
        let database = self.builder().create_with_backend(Backend::new(file)?).map_err(fault)?;
        Opened::new(database).commit(&Changes::new(), first)
    }

    fn open(&self, folder: &Path) -> Result<Opened, StorageError> {
        self.opened(folder, self.verified)
    }

    fn reopen(&self, folder: &Path) -> Result<Opened, StorageError> {
        self.opened(folder, 0)
    }
}

type Records = ReadOnlyTable<&'static str, &'static [u8]>;

pub(super) struct Opened {
    /// The records as the newest commit left them, for reads of one key: to open them costs more than such a read.
    /// Nothing if they could not be opened, so that nothing older is read. Before `database`, which closes when nobody reads.
    newest: RwLock<Option<Arc<Records>>>,
    database: redb::Database,
}

impl Opened {
    fn new(database: redb::Database) -> Self {
        let opened = Self { newest: RwLock::default(), database };
        opened.renew();
        opened
    }

    fn records(&self) -> Result<Records, StorageError> {
        self.database.begin_read().map_err(fault)?.open_table(RECORDS).map_err(fault)
    }

    fn renew(&self) {
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = self.records().ok().map(Arc::new);
    }
}

impl Database for Opened {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner).clone();
        let records = match newest {
            Some(records) => records,
            None => Arc::new(self.records()?),
        };
        Ok(records.get(key).map_err(fault)?.map(|value| value.value().to_vec()))
    }

    fn walk(&self, from: &str, visit: &mut dyn FnMut(&str) -> Step) -> Result<(), StorageError> {
        let records = self.records()?;
        let mut from = Some(from.to_owned());
        while let Some(start) = from.take() {
            for record in records.range::<&str>((Bound::Included(start.as_str()), Bound::Unbounded)).map_err(fault)? {
                let (key, _) = record.map_err(fault)?;
                match visit(key.value()) {
                    Step::Next => continue,
                    Step::Seek(next) => from = Some(next),
                    Step::Stop => {}
                }
                break;
            }
        }
        Ok(())
    }

    fn scan(&self, after: &str, page: &mut SnapshotPage) -> Result<bool, StorageError> {
        let records = self.records()?;
        for record in records.range::<&str>((Bound::Excluded(after), Bound::Unbounded)).map_err(fault)? {
            let (key, value) = record.map_err(fault)?;
            if !page.add(key.value(), Ok(value.value().to_vec())) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn link(&self) -> Result<Link, StorageError> {
        let chain = self.database.begin_read().map_err(fault)?.open_table(CHAIN).map_err(fault)?;
        let newest = chain.get(NEWEST).map_err(fault)?;
        newest
            .and_then(|bytes| Link::from_bytes(bytes.value()))
            .ok_or_else(|| StorageError::Damaged("its newest commit has no link".into()))
    }

    fn commit(&self, changes: &Changes, link: &Link) -> Result<(), StorageError> {
        let mut transaction = self.database.begin_write().map_err(fault)?;
        transaction.set_durability(Durability::Immediate).map_err(fault)?;
        transaction.set_quick_repair(true);
        write(&transaction, changes, link)?;
        let committed = transaction.commit().map_err(fault);
        // Before anyone is told; also if it failed, since nobody knows then what is there.
        self.renew();
        committed
    }

    fn again(&self, folder: &Path) -> Result<Option<Again<Self>>, StorageError> {
        again::open(&self.database, folder).map(Some)
    }
}

fn write(transaction: &WriteTransaction, changes: &Changes, link: &Link) -> Result<(), StorageError> {
    let mut records = transaction.open_table(RECORDS).map_err(fault)?;
    for (key, value) in changes {
        match value {
            Some(value) => records.insert(key.as_str(), value.as_slice()),
            None => records.remove(key.as_str()),
        }
        .map_err(fault)?;
    }
    let mut chain = transaction.open_table(CHAIN).map_err(fault)?;
    chain.insert(NEWEST, link.to_bytes().as_slice()).map_err(fault)?;
    Ok(())
}

/// The file as redb sees it. A failed sync never looks like a full disk, which would be tried again.
#[derive(Debug)]
pub(super) struct Backend(FileBackend);

impl Backend {
    fn new(file: File) -> Result<Self, StorageError> {
        FileBackend::new(file).map(Self).map_err(fault)
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data().map_err(io::Error::other)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }
}

/// What an error of redb means for a store.
fn fault(error: impl Into<redb::Error>) -> StorageError {
    let error = error.into();
    if let redb::Error::Io(error) = error {
        // What it says of a file that does not begin, or end, as its own do.
        let is_foreign = matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof);
        return if is_foreign {
            StorageError::Damaged(format!("its database file, {FILE}, is none, or not whole ({error})"))
        } else {
            StorageError::from_io(error)
        };
    }
    if let redb::Error::Corrupted(why) = error {
        return StorageError::Damaged(format!("its database file, {FILE}, does not hold together ({why})"));
    }
    if let redb::Error::UpgradeRequired(version) = error {
        return StorageError::Damaged(format!(
            "its database file says that it is of format {version}, which is another"
        ));
    }
    StorageError::failed(error)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::entropy::SystemEntropy;
    use crate::storage::{Batch, Key, Page, Snapshot, Storage};

    /// A file on a disk of which the test says how large it is.
    #[derive(Debug)]
    struct Limited {
        backend: Backend,
        length: Arc<AtomicU64>,
        syncs: Arc<AtomicU64>,
    }

    impl Limited {
        fn check(&self, length: u64) -> io::Result<()> {
            let full = length > self.length.load(Ordering::SeqCst);
            if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }
    }

    impl StorageBackend for Limited {
        fn len(&self) -> io::Result<u64> {
            self.backend.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.backend.read(offset, out)
        }

        // As of a sparse file: the room is needed when something is written.
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.backend.set_len(len)
        }

        fn sync_data(&self) -> io::Result<()> {
            match self.syncs.fetch_sub(1, Ordering::SeqCst) {
                0 => Err(io::Error::other("the disk is gone")),
                _ => self.backend.sync_data(),
            }
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.check(offset + data.len() as u64)?;
            self.backend.write(offset, data)
        }

        fn close(&self) -> io::Result<()> {
            self.backend.close()
        }
    }

    /// A way of reading all of a store.
    type Reading = fn(&Disk<Redb>) -> Result<Box<dyn Snapshot>, StorageError>;

    fn metrics() -> Arc<Metrics> {
        Metrics::new(crate::time::Timestamp::from_unix_seconds(0))
    }

    /// The store under `dir`, without limits.
    fn opened(dir: &Path) -> Disk<Redb> {
        let opening = Opening { cache_bytes: 8 << 20, whole: false };
        open(dir, opening, &SystemEntropy::new(), &metrics()).unwrap()
    }

    fn small(dir: &Path) -> (Disk<impl Engine>, Arc<AtomicU64>, Arc<AtomicU64>) {
        let length = Arc::new(AtomicU64::new(u64::MAX));
        let syncs = Arc::new(AtomicU64::new(u64::MAX));
        let engine = Redb { cache_bytes: 8 << 20, verified: VERIFIED_BYTES };
        let (room, left) = (Arc::clone(&length), Arc::clone(&syncs));
        let limited = move |backend| Limited { backend, length: Arc::clone(&room), syncs: Arc::clone(&left) };
        let engine = Over { engine, backend: limited, witness: None };
        (Disk::open(dir, engine, &SystemEntropy::new(), &metrics()).unwrap(), length, syncs)
    }

    fn put(n: u32) -> Batch {
        let mut batch = Batch::new();
        batch.put(Key::new(format!("k/{n:04}")).unwrap(), vec![7; 20_000]);
        batch
    }

    #[tokio::test]
    async fn what_was_hurt_meanwhile_is_seen_in_the_files_alone() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(opened(dir.path()));
        for n in 0..50 {
            store.commit(put(n)).await.unwrap();
        }
        let read = |reads: Reading| {
            let store = Arc::clone(&store);
            tokio::task::spawn_blocking(move || {
                let mut snapshot = reads(&store)?;
                let mut found = Vec::new();
                loop {
                    let page = snapshot.next_page()?;
                    if page.is_empty() {
                        return Ok::<_, StorageError>(found);
                    }
                    found.extend(page.into_iter().map(|stored| stored.value.unwrap()));
                }
            })
        };
        let whole = read(Storage::snapshot).await.unwrap().unwrap();
        assert_eq!(whole.len(), 50);
        assert_eq!(read(Storage::reread).await.unwrap().unwrap(), whole);

        let path =
            crate::storage::contract::files_below(dir.path()).into_iter().find(|path| path.ends_with(FILE)).unwrap();
        let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
        // In the middle of the values, which is most of the file.
        let value = [7; 64];
        let mut bytes = [0; 64];
        let length = file.metadata().unwrap().len();
        let places = (0..length).step_by(4096).filter(|place| {
            std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, *place).unwrap();
            bytes == value
        });
        let places: Vec<u64> = places.collect();
        assert!(places.len() > 100, "{} pages", places.len());
        for place in places {
            std::os::unix::fs::FileExt::write_all_at(&file, &[6], place).unwrap();
        }
        assert_eq!(read(Storage::snapshot).await.unwrap().unwrap(), whole, "the cache has it as it was");
        assert_ne!(read(Storage::reread).await.unwrap().unwrap(), whole);
        store.commit(put(99)).await.unwrap();
    }

    #[tokio::test]
    async fn a_full_disk_costs_nothing_that_was_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        let (disk, length, _) = small(dir.path());
        length.store(4 << 20, Ordering::SeqCst);
        let mut acknowledged = Vec::new();
        let mut refused = 0;
        for n in 0..400 {
            if n == 380 {
                length.store(u64::MAX, Ordering::SeqCst);
            }
            match disk.commit(put(n)).await {
                Ok(()) => acknowledged.push(format!("{n:04}")),
                Err(StorageError::Full) => refused += 1,
                Err(error) => panic!("{error:?}"),
            }
            assert_eq!(disk.list("k/", Page::all()).await.unwrap(), acknowledged, "after {n}");
        }
        assert!(refused > 100 && acknowledged.len() > 50, "{refused} refused");
        assert!(acknowledged.contains(&"0399".to_owned()), "writing goes on once there is room");
        drop(disk);
        let storage = opened(dir.path());
        assert_eq!(storage.list("k/", Page::all()).await.unwrap(), acknowledged);
    }

    #[tokio::test]
    async fn a_failed_sync_ends_writing() {
        for which in 0..2 {
            let dir = tempfile::tempdir().unwrap();
            let (disk, _, syncs) = small(dir.path());
            disk.commit(put(1)).await.unwrap();
            syncs.store(which, Ordering::SeqCst);
            assert!(matches!(disk.commit(put(2)).await, Err(StorageError::Failed(_))));
            assert!(matches!(disk.commit(put(3)).await, Err(StorageError::ReadOnly)));
            let first = disk.get(&Key::new("k/0001").unwrap()).await.unwrap();
            assert_eq!(first, Some(vec![7; 20_000]), "reading goes on");
            drop(disk);
            let storage = opened(dir.path());
            let names = storage.list("k/", Page::all()).await.unwrap();
            assert!(names.starts_with(&["0001".to_owned()]) && names.len() <= 2, "{names:?}");
        }
    }
}
