//! redb over other files than those of the folder, for test instruments.

use std::fmt;
use std::fs::OpenOptions;
use std::path::Path;

use redb::StorageBackend;

use super::{Backend, FILE, Opened, Redb, fault};
use crate::storage::StorageError;
use crate::storage::disk::Engine;
use crate::storage::freshness::{Link, Witness, WitnessFile};

/// redb with something in front of its files: `backend` puts it in front of that of the database, and `witness`, if there is
/// one, in front of that of the witness.
pub(in crate::storage) struct Over<F> {
    pub(in crate::storage) engine: Redb,
    pub(in crate::storage) backend: F,
    pub(in crate::storage) witness: Option<Through>,
}

pub(in crate::storage) type Through = Box<dyn Fn(Box<dyn WitnessFile>) -> Box<dyn WitnessFile> + Send + Sync>;

impl<F> fmt::Debug for Over<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Over").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl<B: StorageBackend, F: Fn(Backend) -> B + Send + Sync + 'static> Engine for Over<F> {
    const KIND: &'static str = Redb::KIND;
    const READERS_WAIT: bool = Redb::READERS_WAIT;
    const OPENS_WITHOUT_ROOM: bool = Redb::OPENS_WITHOUT_ROOM;
    type Database = Opened;

    fn create(&self, folder: &Path, first: &Link) -> Result<(), StorageError> {
        self.engine.create(folder, first)
    }

    fn open(&self, folder: &Path) -> Result<Opened, StorageError> {
        let file = OpenOptions::new().read(true).write(true).open(folder.join(FILE)).map_err(StorageError::from_io)?;
        let backend = (self.backend)(Backend::new(file)?);
        self.engine.builder().create_with_backend(backend).map(Opened::new).map_err(fault)
    }

    fn reopen(&self, folder: &Path) -> Result<Opened, StorageError> {
        self.open(folder)
    }

    fn witness(&self, folder: &Path) -> Result<Witness, StorageError> {
        let witness = self.engine.witness(folder)?;
        Ok(match &self.witness {
            Some(through) => witness.over(through),
            None => witness,
        })
    }
}
