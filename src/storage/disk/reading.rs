//! Snapshots of a store on disk: through the database that is open, or from the files, past what it has of them in memory.
//!
//! For the latter, which a check is made of, the database is opened a second time, and what the second one reads stays where
//! it is meanwhile. It is read as it was at that moment, so nothing has to be kept for it of what is written.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Database, Engine, Shared, contain, opened};
use crate::storage::snapshot::Page;
use crate::storage::{Generation, Snapshot, StorageError, Stored};

/// A database that was opened a second time.
pub(in crate::storage) struct Again<D> {
    /// Nothing once it is closed.
    database: Option<D>,
    /// Set when nothing that it reads or writes counts any more.
    ended: Arc<AtomicBool>,
    /// Keeps the first one from using again what the second one reads; let go of at last.
    _pin: Box<dyn Any + Send>,
}

impl<D> Again<D> {
    /// `database` may read as long as `pin` is there. When it is closed `ended` is set before.
    pub(in crate::storage) fn new(database: D, ended: Arc<AtomicBool>, pin: impl Any + Send) -> Self {
        Self { database: Some(database), ended, _pin: Box::new(pin) }
    }
}

impl<D> Drop for Again<D> {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let database = self.database.take();
        // It wrote nothing that is to be kept.
        let _ = contain(|| {
            drop(database);
            Ok(())
        });
    }
}

/// See [`crate::storage::Storage::snapshot`].
pub(super) fn snapshot<E: Engine>(shared: &Arc<Shared<E>>) -> Result<Box<dyn Snapshot>, StorageError> {
    let (number, link) = {
        let database = shared.database.blocking_read();
        let database = opened(database.as_ref())?;
        shared.snapshots.begin(|| database.call(E::Database::link))?
    };
    let generation = Generation { lineage: shared.lineage, number: link.number() };
    Ok(Box::new(DiskSnapshot { shared: Arc::clone(shared), number, generation }))
}

/// See [`crate::storage::Storage::reread`].
pub(super) fn reread<E: Engine>(shared: &Arc<Shared<E>>) -> Result<Box<dyn Snapshot>, StorageError> {
    let (link, again, reopened) = {
        let database = shared.database.blocking_read();
        let database = opened(database.as_ref())?;
        let open = || database.call(|database| Ok((database.link()?, database.again(shared.folder.path())?)));
        let (link, again) = shared.snapshots.between_commits(open)?;
        (link, again, shared.reopened.load(Ordering::SeqCst))
    };
    let Some(again) = again else { return snapshot(shared) };
    let generation = Generation { lineage: shared.lineage, number: link.number() };
    let shared = Arc::clone(shared);
    Ok(Box::new(Reread { again, shared, reopened, generation, after: String::new(), ended: false }))
}

/// A snapshot of a store on disk.
#[derive(Debug)]
struct DiskSnapshot<E: Engine> {
    shared: Arc<Shared<E>>,
    number: u64,
    generation: Generation,
}

impl<E: Engine> Snapshot for DiskSnapshot<E> {
    fn generation(&self) -> Generation {
        self.generation
    }

    fn next_page(&mut self) -> Result<Vec<Stored>, StorageError> {
        let database = self.shared.database.blocking_read();
        let database = opened(database.as_ref())?;
        self.shared.snapshots.page(self.number, |after, page| database.call(|database| database.scan(after, page)))
    }

    fn seek(&mut self, after: &str) {
        self.shared.snapshots.seek(self.number, after);
    }
}

impl<E: Engine> Drop for DiskSnapshot<E> {
    fn drop(&mut self) {
        self.shared.snapshots.end(self.number);
    }
}

/// A snapshot over a database that was opened a second time.
struct Reread<E: Engine> {
    again: Again<E::Database>,
    shared: Arc<Shared<E>>,
    /// How often the first one had been opened again: what its pin held is free once it is closed.
    reopened: u64,
    generation: Generation,
    /// The last key that was read; empty at the beginning.
    after: String,
    ended: bool,
}

impl<E: Engine> Snapshot for Reread<E> {
    fn generation(&self) -> Generation {
        self.generation
    }

    fn next_page(&mut self) -> Result<Vec<Stored>, StorageError> {
        let Some(database) = self.again.database.as_ref().filter(|_| !self.ended) else { return Ok(Vec::new()) };
        // As long as this is held the first one is not opened again.
        let _first = self.shared.database.blocking_read();
        if self.shared.reopened.load(Ordering::SeqCst) != self.reopened {
            return Err(StorageError::Overtaken);
        }
        let mut page = Page::default();
        let is_last = match contain(|| database.scan(&self.after, &mut page)) {
            Ok(is_last) => is_last,
            Err(error) if page.is_empty() => return Err(error),
            // What came before the error is good; the next page meets it again.
            Err(_) => false,
        };
        match page.last() {
            Some(last) if !is_last => self.after = last,
            _ => self.ended = true,
        }
        page.stored()
    }

    fn seek(&mut self, after: &str) {
        after.clone_into(&mut self.after);
    }
}

impl<E: Engine> fmt::Debug for Reread<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reread").field("generation", &self.generation).finish_non_exhaustive()
    }
}
