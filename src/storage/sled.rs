//! The other store on disk: [sled](https://docs.rs/sled) 0.34, with guards for what it does not promise.
//!
//! `docs/decisions/0001-embedded-store.md` has the measurements behind each guard:
//!
//! - sled's `flush` ends in `sync_file_range`, which is no promise: every commit is followed by an `fdatasync` of the
//!   log on a descriptor of our own. There is no background flusher, which would only blur what is acknowledged;
//! - sled never syncs what it puts into `blobs/`. A log message over 128 KiB goes there, and a leaf of 16 records is
//!   one message: so a record is kept to [`RECORD`] bytes and a larger value is stored in chunks. If a blob appears
//!   nevertheless (16 neighbours with names of 8 KiB make one), it is synced before the acknowledgement;
//! - sled does not sync what it creates: the whole folder is synced, after creation and after each opening;
//! - sled is atomic within one tree only: there is one, and a byte before each key says what it is;
//! - sled takes damage for the end of its log: the freshness chain notices what was lost at the end, and up to
//!   [`VERIFIED_BYTES`] every record is read at opening;
//! - a batch can be read before it is durable: readers wait for a commit in progress;
//! - sled panics on some damaged files: see [`super::disk`].

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::disk::{Database, Disk, Engine};
use super::freshness::Link;
use super::listing::Step;
use super::writer::Changes;
use super::{Batch, Key, Page, Storage, StorageError, files};
use crate::entropy::Entropy;

/// The folder of sled's files within that of the store.
const TREE: &str = "tree";
/// The most bytes that key and value of one of sled's records have, as long as the key alone is not longer.
const RECORD: usize = 4096;
/// Bytes of a value in one chunk: a record without its key of 17 bytes.
const CHUNK: usize = RECORD - 17;
/// Up to this length of sled's log, in bytes, every record is read at opening.
const VERIFIED_BYTES: u64 = 128 << 20;

/// The key of the newest link.
const NEWEST: &[u8] = b"n";
/// Stands before the name of a record.
const NAMED: u8 = b'r';
/// Stands before the number of a chunk.
const CHUNKED: u8 = b'c';

/// A store in a sled database.
#[derive(Debug)]
pub struct SledStorage(Disk<Sled>);

impl SledStorage {
    /// Opens the store under the folder `dir`, or creates both. `cache_bytes` is how much memory the database may use
    /// as a cache. One process at a time can have it open.
    ///
    /// Fails with [`StorageError::Damaged`] if the files are damaged or older than what was acknowledged.
    pub fn open(dir: &Path, cache_bytes: u64, entropy: &dyn Entropy) -> Result<Self, StorageError> {
        Disk::open(dir, Sled { cache_bytes }, entropy).map(Self)
    }
}

#[async_trait]
impl Storage for SledStorage {
    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        self.0.get(key).await
    }

    async fn list(&self, prefix: &str, page: Page) -> Result<Vec<String>, StorageError> {
        self.0.list(prefix, page).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        self.0.commit(batch).await
    }

    fn kind(&self) -> &'static str {
        Sled::KIND
    }
}

#[derive(Debug)]
struct Sled {
    cache_bytes: u64,
}

impl Engine for Sled {
    const KIND: &'static str = "sled";
    const READERS_WAIT: bool = true;
    type Database = Opened;

    fn create(&self, folder: &Path, first: &Link) -> Result<(), StorageError> {
        Opened::open(&folder.join(TREE), self.cache_bytes)?.commit(&Changes::new(), first)
    }

    fn open(&self, folder: &Path) -> Result<Opened, StorageError> {
        let folder = folder.join(TREE);
        let log = fs::metadata(folder.join("db")).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                // sled would begin a new log.
                damaged("its log is missing")
            } else {
                StorageError::from_io(error)
            }
        })?;
        let opened = Opened::open(&folder, self.cache_bytes)?;
        if log.len() <= VERIFIED_BYTES {
            opened.verify()?;
        }
        Ok(opened)
    }
}

struct Opened {
    database: sled::Db,
    log: File,
    blobs: PathBuf,
    synced_blobs: Mutex<HashSet<OsString>>,
}

impl Opened {
    fn open(folder: &Path, cache_bytes: u64) -> Result<Self, StorageError> {
        let config = sled::Config::new().path(folder).cache_capacity(cache_bytes).flush_every_ms(None);
        let database = config.open().map_err(fault)?;
        let log = File::open(folder.join("db")).map_err(StorageError::from_io)?;
        let blobs = folder.join("blobs");
        let opened = Self { database, log, blobs, synced_blobs: Mutex::default() };
        opened.sync_blobs()?;
        Ok(opened)
    }

    /// Reads every record, and counts whether each chunk that a value needs is there.
    fn verify(&self) -> Result<(), StorageError> {
        let (mut wanted, mut found) = (0_u64, 0_u64);
        for record in self.database.iter() {
            let (key, value) = record.map_err(fault)?;
            match key.first() {
                Some(&NAMED) => {
                    if let Stored::Chunks { count, .. } = Stored::parse(&value)? {
                        wanted = wanted.saturating_add(u64::from(count));
                    }
                }
                Some(&CHUNKED) => found += 1,
                _ if key == NEWEST => {}
                _ => return Err(damaged("it has a record of no known kind")),
            }
        }
        if wanted == found { Ok(()) } else { Err(damaged("it has lost part of a value")) }
    }

    fn stored(&self, key: &str) -> Result<Option<sled::IVec>, StorageError> {
        self.database.get(named(key)).map_err(fault)
    }

    /// Syncs what sled has put into `blobs/` since the last time.
    fn sync_blobs(&self) -> Result<(), StorageError> {
        let mut synced = self.synced_blobs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut present = HashSet::new();
        for entry in fs::read_dir(&self.blobs).map_err(StorageError::from_io)? {
            let entry = entry.map_err(StorageError::from_io)?;
            let name = entry.file_name();
            if !synced.contains(&name) {
                files::sync(&entry.path())?;
            }
            present.insert(name);
        }
        if !present.is_subset(&synced) {
            files::sync(&self.blobs)?;
        }
        *synced = present;
        Ok(())
    }
}

impl Database for Opened {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(bytes) = self.stored(key)? else {
            return Ok(None);
        };
        match Stored::parse(&bytes)? {
            Stored::Whole(value) => Ok(Some(value.to_vec())),
            Stored::Chunks { id, count } => {
                let mut value = Vec::new();
                for index in 0..count {
                    let chunk = self.database.get(chunk_key(id, index)).map_err(fault)?;
                    value.extend_from_slice(&chunk.ok_or_else(|| damaged("it has lost part of a value"))?);
                }
                Ok(Some(value))
            }
        }
    }

    fn walk(&self, from: &str, visit: &mut dyn FnMut(&str) -> Step) -> Result<(), StorageError> {
        let mut from = Some(named(from));
        while let Some(start) = from.take() {
            for record in self.database.range(start..vec![NAMED + 1]) {
                let (key, _) = record.map_err(fault)?;
                let name = key.get(1..).and_then(|name| std::str::from_utf8(name).ok());
                match visit(name.ok_or_else(|| damaged("a name in it is not text"))?) {
                    Step::Next => continue,
                    Step::Seek(next) => from = Some(named(&next)),
                    Step::Stop => {}
                }
                break;
            }
        }
        Ok(())
    }

    fn link(&self) -> Result<Link, StorageError> {
        let newest = self.database.get(NEWEST).map_err(fault)?;
        newest
            .and_then(|bytes| Link::from_bytes(&bytes))
            .ok_or_else(|| damaged("it is older than what was acknowledged: nothing of its chain is left"))
    }

    fn commit(&self, changes: &Changes, link: &Link) -> Result<(), StorageError> {
        let mut batch = sled::Batch::default();
        for (index, (key, value)) in (0_u32..).zip(changes) {
            if let Some(old) = self.stored(key.as_str())? {
                remove_chunks(&mut batch, &Stored::parse(&old)?);
            }
            match value {
                Some(value) => insert(&mut batch, key, value, ChunksId { transaction: link.number(), index }),
                None => batch.remove(named(key.as_str())),
            }
        }
        batch.insert(NEWEST, link.to_bytes().as_slice());
        self.database.apply_batch(batch).map_err(fault)?;
        self.database.flush().map_err(fault)?;
        self.sync_blobs()?;
        self.log.sync_data().map_err(StorageError::failed)
    }
}

/// Names the chunks of one value: the transaction that wrote it, and the value's place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ChunksId {
    transaction: u64,
    index: u32,
}

/// What is at the name of a record.
#[derive(Debug, PartialEq, Eq)]
enum Stored<'a> {
    /// A zero byte and the value.
    Whole(&'a [u8]),
    /// A one, and in big endian: the transaction (8 bytes), the index (4) and the number of chunks (4).
    Chunks { id: ChunksId, count: u32 },
}

impl<'a> Stored<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, StorageError> {
        match bytes.split_first() {
            Some((0, value)) => Ok(Self::Whole(value)),
            Some((1, rest)) => Self::parse_chunks(rest).ok_or_else(|| damaged("a record cannot be read")),
            Some(_) | None => Err(damaged("a record cannot be read")),
        }
    }

    fn parse_chunks(bytes: &[u8]) -> Option<Self> {
        let (transaction, rest) = bytes.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let id = ChunksId { transaction: u64::from_be_bytes(*transaction), index: u32::from_be_bytes(*index) };
        Some(Self::Chunks { id, count: u32::from_be_bytes(rest.try_into().ok()?) })
    }
}

fn insert(batch: &mut sled::Batch, key: &Key, value: &[u8], id: ChunksId) {
    let name = named(key.as_str());
    if name.len() + 1 + value.len() <= RECORD {
        batch.insert(name, [&[0], value].concat());
        return;
    }
    let mut count = 0_u32;
    for chunk in value.chunks(CHUNK) {
        batch.insert(chunk_key(id, count), chunk);
        count += 1;
    }
    let head = [&[1], id.transaction.to_be_bytes().as_slice(), &id.index.to_be_bytes(), &count.to_be_bytes()].concat();
    batch.insert(name, head);
}

fn remove_chunks(batch: &mut sled::Batch, stored: &Stored<'_>) {
    match *stored {
        Stored::Whole(_) => {}
        Stored::Chunks { id, count } => {
            for index in 0..count {
                batch.remove(chunk_key(id, index));
            }
        }
    }
}

fn named(key: &str) -> Vec<u8> {
    [&[NAMED], key.as_bytes()].concat()
}

fn chunk_key(id: ChunksId, index: u32) -> Vec<u8> {
    let ChunksId { transaction, index: value } = id;
    [&[CHUNKED], transaction.to_be_bytes().as_slice(), &value.to_be_bytes(), &index.to_be_bytes()].concat()
}

fn damaged(why: &str) -> StorageError {
    StorageError::Damaged(why.to_owned())
}

/// What an error of sled means for a store.
fn fault(error: sled::Error) -> StorageError {
    match error {
        sled::Error::Io(error) => StorageError::from_io(error),
        sled::Error::Corruption { .. } => damaged("a page of it has a wrong checksum"),
        sled::Error::CollectionNotFound(_) | sled::Error::Unsupported(_) | sled::Error::ReportableBug(_) => {
            StorageError::failed(error)
        }
    }
}
