//! What stands between the store and its files, and lets a write or a sync fail.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use crate::entropy::SystemEntropy;
use crate::storage::StorageError;
use crate::storage::disk::{Disk, Engine};
use crate::storage::freshness::WitnessFile;
use crate::storage::power::{CACHE, metrics};
use crate::storage::redb::{Backend, Over, Redb};

/// What fails, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
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

pub(super) const FAULTS: [Fault; 5] = [Fault::Error, Fault::Half, Fault::NoRoom, Fault::HalfNoRoom, Fault::Sync];

/// What is done to the files, and what of it fails.
#[derive(Debug, Default)]
pub(super) struct Plan {
    writes: u64,
    syncs: u64,
    /// The failing write or sync, counted from 1.
    fault: Option<(Fault, u64)>,
    pub(super) was_hit: bool,
    /// Whether it was the file of the witness.
    pub(super) was_witness: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Files(Arc<Mutex<Plan>>);

impl Files {
    pub(super) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap()
    }

    /// Lets something fail from here on.
    pub(super) fn fail(&self, fault: Fault, number: u64) {
        *self.plan() = Plan { fault: Some((fault, number)), ..Plan::default() };
    }

    /// Writes `data` by `write`, or half of it, or nothing.
    fn write(&self, data: &[u8], is_witness: bool, write: impl FnOnce(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut plan = self.plan();
        plan.writes += 1;
        let Some((fault, _)) = plan.fault.filter(|(fault, at)| *fault != Fault::Sync && *at == plan.writes) else {
            return write(data);
        };
        plan.was_hit = true;
        plan.was_witness = is_witness;
        if matches!(fault, Fault::Half | Fault::HalfNoRoom) {
            write(&data[..data.len() / 2])?;
        }
        match fault {
            Fault::NoRoom | Fault::HalfNoRoom => Err(io::ErrorKind::StorageFull.into()),
            Fault::Error | Fault::Half | Fault::Sync => Err(io::Error::other("an error of the disk")),
            Fault::Lies => Ok(()),
        }
    }

    fn sync(&self, is_witness: bool, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut plan = self.plan();
        plan.syncs += 1;
        if plan.fault != Some((Fault::Sync, plan.syncs)) {
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
    files: Files,
}

impl StorageBackend for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        self.backend.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.backend.read(offset, out)
    }

    // It counts as a write. There is no half of it.
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.files.write(&[], false, |_| Ok(()))?;
        self.backend.set_len(len)
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
    files: Files,
}

impl WitnessFile for FaultyWitness {
    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.files.write(bytes, true, |bytes| self.file.write(bytes, offset))
    }

    fn sync(&self) -> io::Result<()> {
        self.files.sync(true, || self.file.sync())
    }
}

/// The store in `folder` over files that fail as `files` says.
pub(super) fn faulty(folder: &Path, files: &Files) -> Result<Disk<impl Engine>, StorageError> {
    let (database, witness) = (files.clone(), files.clone());
    let engine = Over {
        engine: Redb { cache_bytes: CACHE, verified: 0 },
        backend: move |backend| FaultyFile { backend, files: database.clone() },
        witness: Some(Box::new(move |file| Box::new(FaultyWitness { file, files: witness.clone() }))),
    };
    Disk::open(folder, engine, &SystemEntropy::new(), &metrics())
}
