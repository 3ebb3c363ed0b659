//! Bytes that survive. The stores see only ciphertext and know nothing of vaults; the *names* of keys are readable.
//!
//! There is one way to write, [`Storage::commit`]: all of a batch or none of it, and on disk when it returns.

mod disk;
pub mod fault;
mod files;
mod freshness;
mod ledger;
mod listing;
mod measured;
mod memory;
mod owner;
mod redb;
mod replace;
mod sled;
mod snapshot;
mod writer;

#[cfg(test)]
pub(crate) mod contract;
#[cfg(test)]
mod failing_files;
#[cfg(test)]
mod power;

#[doc(hidden)]
pub use freshness::fuzz as fuzz_witness;
pub use ledger::{Committed, Ledger};
pub use measured::Measured;
pub use memory::MemoryStorage;
pub use owner::give_to_owner;
pub use replace::{Kept, Replacement, has_store};
#[doc(hidden)]
pub use sled::fuzz as fuzz_sled;
pub use snapshot::{Generation, Lineage, Snapshot, Stored};
pub use writer::Changes;
#[cfg(test)]
pub(crate) use writer::stepped::SteppedStorage;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use ring::digest;

use crate::entropy::Entropy;
use crate::error::{Error, Kind};
use crate::metrics::Metrics;

/// How a store on disk is opened.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// How much memory the database may use as a cache, in bytes: 256 MiB by default.
    pub cache_bytes: u64,
    /// Whether all of it is looked at, however large it is. By default a large one is trusted as its last commit left it.
    pub whole: bool,
}

impl Default for Opening {
    fn default() -> Self {
        Self { cache_bytes: 256 << 20, whole: false }
    }
}

impl Opening {
    /// As by default, but after a look at all of it.
    pub fn whole() -> Self {
        Self { whole: true, ..Self::default() }
    }

    /// Up to which length of its file a database is looked at, where `usual` is that by default; in bytes.
    const fn verified(self, usual: u64) -> u64 {
        if self.whole { u64::MAX } else { usual }
    }
}

/// Opens the store of `kind` (`redb`, `sled`, `inmem`) under the folder `path`, and creates it if there is none.
/// `inmem` has no folder. Its transactions are counted in `metrics`; [`Measured`] counts the rest.
///
/// Fails with [`StorageError::Damaged`] for a store that lost something that was acknowledged, and with
/// [`StorageError::Refused`] for an unknown kind, a store of another kind, one that another process has open and one of
/// another user.
pub fn open(
    kind: &str,
    path: &Path,
    opening: Opening,
    entropy: &dyn Entropy,
    metrics: &Arc<Metrics>,
) -> Result<Arc<dyn Storage>, StorageError> {
    match kind {
        "redb" => Ok(Arc::new(redb::open(path, opening, entropy, metrics)?)),
        "sled" => Ok(Arc::new(sled::open(path, opening, entropy, metrics)?)),
        "inmem" => Ok(Arc::new(MemoryStorage::new())),
        _ => Err(StorageError::Refused("there is no store of this kind; use redb, sled or inmem".into())),
    }
}

/// Ordered, durable bytes.
#[async_trait]
pub trait Storage: Send + Sync + fmt::Debug + 'static {
    /// The value at `key`, as the last acknowledged commit left it.
    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError>;

    /// The names directly below `prefix` (empty, or ending in a slash), in byte order, each once. A name that ends in a
    /// slash is a folder: there are keys below it. A key and a folder of the same name both appear.
    async fn list(&self, prefix: &str, page: Page) -> Result<Vec<String>, StorageError>;

    /// Writes all of `batch` if all of its expectations hold, or nothing. Durable when this returns `Ok`.
    async fn commit(&self, batch: Batch) -> Result<(), StorageError>;

    /// The state that the store is in now, to be read in order while others write. Blocks the thread: not to be called on
    /// one that answers requests.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StorageError>;

    /// A snapshot for a check: its records are read from the files, whatever of them is in memory. A store that cannot do that
    /// gives an ordinary one; a store over another hands this on. Fails with [`StorageError::Damaged`] if the files cannot
    /// be opened any more; an ordinary snapshot may still be had then.
    fn reread(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        self.snapshot()
    }

    /// Which state the store is in now.
    async fn generation(&self) -> Result<Generation, StorageError>;

    /// The kind of store, as `seal-status` names it: `redb`, `sled`, `inmem`.
    fn kind(&self) -> &'static str;
}

/// The name of a value: UTF-8, segments separated by `/`, not empty, no empty segment, at most 8 KiB.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// The longest key in bytes: a path of the API under the prefix of its mount, with room to spare.
    pub const MAX_LEN: usize = 8192;

    /// A key out of its text.
    pub fn new(text: impl Into<String>) -> Result<Self, StorageError> {
        let text = text.into();
        if text.len() > Self::MAX_LEN || text.split('/').any(str::is_empty) {
            return Err(StorageError::BadKey);
        }
        Ok(Self(text))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Only names behind this one in byte order.
    pub after: Option<String>,
    /// At most so many; nothing is all.
    pub limit: Option<usize>,
}

impl Page {
    /// The whole list.
    pub fn all() -> Self {
        Self::default()
    }

    /// The first `limit` names.
    pub fn first(limit: usize) -> Self {
        Self { after: None, limit: Some(limit) }
    }
}

/// SHA-256 of a stored value: names one state of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `value`.
    pub fn of(value: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, value).as_ref());
        Self(bytes)
    }
}

/// What must still be at a key when a batch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Absent,
    /// A value of this digest.
    Value(Digest),
}

impl Expected {
    /// What `value` (as [`Storage::get`] gave it) calls for, so that a change in between is noticed.
    pub fn unchanged(value: Option<&[u8]>) -> Self {
        value.map_or(Self::Absent, |value| Self::Value(Digest::of(value)))
    }

    /// Whether `value` is what was expected.
    pub fn holds(self, value: Option<&[u8]>) -> bool {
        match (self, value) {
            (Self::Absent, None) => true,
            (Self::Value(digest), Some(value)) => Digest::of(value) == digest,
            (Self::Absent, Some(_)) | (Self::Value(_), None) => false,
        }
    }
}

/// Puts and deletes, and what must still be true when they happen. The last write to a key counts.
#[derive(Default)]
pub struct Batch {
    writes: Vec<Write>,
    expectations: Vec<(Key, Expected)>,
    ledger: Option<Arc<dyn Ledger>>,
    settling: Settling,
}

/// A key, and what is to be there; `None` is nothing.
pub type Write = (Key, Option<Vec<u8>>);

/// What is to happen once a store is done with a batch, which is when this is dropped: whoever wrote it holds this until
/// it is written, though the caller may be gone by then.
#[derive(Default)]
struct Settling(Vec<Box<dyn FnOnce() + Send>>);

impl Drop for Settling {
    fn drop(&mut self) {
        for action in self.0.drain(..) {
            action();
        }
    }
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes `value` at `key`.
    pub fn put(&mut self, key: Key, value: Vec<u8>) {
        self.writes.push((key, Some(value)));
    }

    /// Removes what is at `key`, if anything is.
    pub fn delete(&mut self, key: Key) {
        self.writes.push((key, None));
    }

    /// Makes the whole batch fail with [`StorageError::Conflict`] unless `expected` is at `key` when it is written.
    pub fn expect(&mut self, key: Key, expected: Expected) {
        self.expectations.push((key, expected));
    }

    /// Has `ledger` say what is to be written along with the batch, in the same transaction.
    pub fn enter_in(&mut self, ledger: Arc<dyn Ledger>) {
        self.ledger = Some(ledger);
    }

    /// Runs `action` once the batch is written, refused or lost, before its caller hears of it, and also if the caller no
    /// longer waits. It must not wait for anything.
    pub fn when_settled(&mut self, action: impl FnOnce() + Send + 'static) {
        self.settling.0.push(Box::new(action));
    }

    /// Whether there is nothing to write. A batch of expectations alone has nothing to write.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The writes in order; `None` is a delete.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// The writes in order, and what is to be dropped once they are done.
    fn into_writes(self) -> (Vec<Write>, Settling) {
        (self.writes, self.settling)
    }

    /// What says what is to be written along.
    fn ledger(&self) -> Option<&Arc<dyn Ledger>> {
        self.ledger.as_ref()
    }

    /// The length of all keys and values to be written.
    fn bytes(&self) -> usize {
        self.writes.iter().map(|(key, value)| key.0.len() + value.as_ref().map_or(0, Vec::len)).sum()
    }

    /// The expectations.
    pub fn expectations(&self) -> &[(Key, Expected)] {
        &self.expectations
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("writes", &self.writes.len()).finish_non_exhaustive()
    }
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A key is empty, has an empty segment or is over [`Key::MAX_LEN`].
    #[error("the key is empty, has an empty segment or is too long")]
    BadKey,
    /// An expectation of the batch did not hold; nothing was written.
    #[error("a record was changed by another request")]
    Conflict,
    /// The files are damaged, or older than what was acknowledged.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The disk is full; nothing was written.
    #[error("the disk is full")]
    Full,
    /// A snapshot was given up: more was written meanwhile than is kept for it, or the store was opened again.
    #[error("too much was written while the store was read")]
    Overtaken,
    /// An earlier failure made the store read-only until it is reopened.
    #[error("the store is read-only after an earlier failure")]
    ReadOnly,
    /// It was not opened, for this reason, which is for the operator to mend: the text says how. Nothing failed.
    #[error("{0}")]
    Refused(String),
    /// Anything else that the operating system or the database answered.
    #[error("the store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::BadKey => Self::invalid("the name is empty, has an empty segment or is too long"),
            StorageError::Conflict => Self::new(Kind::Conflict, "the record was changed by another request; try again"),
            StorageError::Damaged(_) => Self::corrupt("the store is damaged; see the server's log").with_source(error),
            StorageError::Full => Self::new(Kind::Unavailable, "the disk is full; make room, then try again"),
            StorageError::Overtaken => {
                Self::new(Kind::Unavailable, "too much was written while the store was read; try again")
            }
            StorageError::ReadOnly => {
                Self::new(Kind::Unavailable, "the store is read-only after a failure; see the server's log")
            }
            StorageError::Refused(_) => {
                Self::internal("the store is not open; see the server's log").with_source(error)
            }
            StorageError::Failed(_) => Self::internal("the store failed; see the server's log").with_source(error),
        }
    }
}
