//! A test instrument: files that fail when they are told to, under a store in a redb database.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use super::{Backend, Over, Redb};
use crate::entropy::SystemEntropy;
use crate::metrics::Metrics;
use crate::storage::disk::Disk;
use crate::storage::freshness::WitnessFile;
use crate::storage::{Storage, StorageError};
use crate::time::Timestamp;

/// What the database keeps of its file in memory, in bytes.
const CACHE_BYTES: usize = 8 << 20;

/// What fails, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFault {
    /// A write, before anything of it was written.
    Error,
    /// A write, after half of it.
    Half,
    /// A write, for want of room.
    NoRoom,
    /// A write, for want of room after half of it.
    HalfNoRoom,
    /// A sync.
    Sync,
    /// A write that is said to be done and is not, as no disk may do.
    Lies,
}

impl FileFault {
    /// All that a disk may do.
    pub const ALL: [Self; 5] = [Self::Error, Self::Half, Self::NoRoom, Self::HalfNoRoom, Self::Sync];
}

/// The files of a store, that of the witness among them, of which one write or one sync fails. For tests only.
#[derive(Clone, Debug, Default)]
pub struct FaultyFiles(Arc<Mutex<Plan>>);

/// What is done to the files, and what of it fails.
#[derive(Debug, Default)]
struct Plan {
    writes: u64,
    syncs: u64,
    /// The failing write or sync, counted from 1.
    fault: Option<(FileFault, u64)>,
    was_hit: bool,
    was_witness: bool,
}

impl FaultyFiles {
    /// Opens the store in `folder`, or creates it, over files that fail as this says. What creates a store does not fail.
    pub fn open(&self, folder: &Path) -> Result<Arc<dyn Storage>, StorageError> {
        let (database, witness) = (self.clone(), self.clone());
        let engine = Over {
            engine: Redb { cache_bytes: CACHE_BYTES, verified: 0 },
            backend: move |backend| FaultyFile { backend, files: database.clone() },
            witness: Some(Box::new(move |file| Box::new(FaultyWitness { file, files: witness.clone() }))),
        };
        let metrics = Metrics::new(Timestamp::from_unix_seconds(0));
        Ok(Arc::new(Disk::open(folder, engine, &SystemEntropy::new(), &metrics)?))
    }

    /// Lets the `number`-th write, or sync, from here on fail; the next one is the first.
    pub fn fail(&self, fault: FileFault, number: u64) {
        *self.plan() = Plan { fault: Some((fault, number)), ..Plan::default() };
    }

    /// Lets nothing fail any more.
    pub fn mend(&self) {
        self.plan().fault = None;
    }

    /// Whether something has failed since [`Self::fail`].
    pub fn was_hit(&self) -> bool {
        self.plan().was_hit
    }

    /// Whether it was the file of the witness.
    pub fn was_witness(&self) -> bool {
        self.plan().was_witness
    }

    /// Does something while nothing is written: what is in the files meanwhile is what a process that ends now leaves in them.
    pub fn between_writes<T>(&self, work: impl FnOnce() -> T) -> T {
        let _plan = self.plan();
        work()
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes `data` by `write`, or half of it, or nothing.
    fn write(&self, data: &[u8], is_witness: bool, write: impl FnOnce(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut plan = self.plan();
        plan.writes += 1;
        let Some((fault, _)) = plan.fault.filter(|(fault, at)| *fault != FileFault::Sync && *at == plan.writes) else {
            return write(data);
        };
        plan.was_hit = true;
        plan.was_witness = is_witness;
        if matches!(fault, FileFault::Half | FileFault::HalfNoRoom) {
            write(data.get(..data.len() / 2).unwrap_or_default())?;
        }
        match fault {
            FileFault::NoRoom | FileFault::HalfNoRoom => Err(io::ErrorKind::StorageFull.into()),
            FileFault::Error | FileFault::Half | FileFault::Sync => Err(io::Error::other("an error of the disk")),
            FileFault::Lies => Ok(()),
        }
    }

    fn sync(&self, is_witness: bool, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut plan = self.plan();
        plan.syncs += 1;
        if plan.fault != Some((FileFault::Sync, plan.syncs)) {
            return sync();
        }
        plan.was_hit = true;
        plan.was_witness = is_witness;
        Err(io::Error::other("an error of the disk"))
    }
}

/// The file of the database.
#[derive(Debug)]
struct FaultyFile {
    backend: Backend,
    files: FaultyFiles,
}

impl StorageBackend for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        self.backend.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.backend.read(offset, out)
    }

    // It counts as a write. Half of it is all of it, and an error.
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.files.write(&[], false, |_| self.backend.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.files.sync(false, || self.backend.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.files.write(data, false, |data| self.backend.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.backend.close()
    }
}

/// The file of the witness.
struct FaultyWitness {
    file: Box<dyn WitnessFile>,
    files: FaultyFiles,
}

impl WitnessFile for FaultyWitness {
    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.files.write(bytes, true, |bytes| self.file.write(bytes, offset))
    }

    fn sync(&self) -> io::Result<()> {
        self.files.sync(true, || self.file.sync())
    }
}
