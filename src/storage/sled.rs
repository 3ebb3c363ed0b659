//! The other store on disk: [sled](https://docs.rs/sled) 0.34, with guards for what it does not promise.
//!
//! `docs/decisions/0001-embedded-store.md` has the measurements behind each guard:
//!
//! - sled's `flush` ends in `sync_file_range`, which is no promise: every commit is followed by an `fdatasync` of the
//!   log on a descriptor of our own. There is no background flusher, which would only blur what is acknowledged;
//! - sled never syncs what it puts into `blobs/`. A log message over 128 KiB goes there, and a leaf of 16 records is
//!   one message: so a record is kept to 4096 bytes and a larger value is stored in chunks. If a blob appears
//!   nevertheless (16 neighbours with names of 8 KiB make one), it is synced before the acknowledgement;
//! - sled does not sync what it creates: the whole folder is synced, after creation and after each opening;
//! - sled is atomic within one tree only: there is one, and a byte before each key says what it is;
//! - sled takes damage for the end of its log: the freshness chain notices what was lost at the end, and up to
//!   [`VERIFIED_BYTES`] every record is read at opening;
//! - a batch can be read before it is durable: readers wait for a commit in progress;
//! - sled panics on some damaged files: see [`super::disk`].

mod record;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use super::disk::{Database, Disk, Engine};
use super::freshness::Link;
use super::listing::Step;
use super::snapshot::Page as SnapshotPage;
use super::writer::Changes;
use super::{Key, Opening, StorageError, files};
use crate::entropy::Entropy;
use crate::metrics::Metrics;

use record::{CHUNK, CHUNKED, ChunksId, NAMED, RECORD, Stored, chunk_key, named};

#[doc(hidden)]
pub use record::fuzz;

/// The folder of sled's files within that of the store.
const TREE: &str = "tree";
/// Up to this length of sled's log, in bytes, every record is read at opening.
const VERIFIED_BYTES: u64 = 128 << 20;

/// How long the threads of a sled that was dropped may take to end.
const CLOSING: Duration = Duration::from_secs(30);

/// The key of the newest link.
const NEWEST: &[u8] = b"n";

/// Opens the store in a sled database under the folder `dir`, or creates both. One process at a time can have it open.
///
/// Fails with [`StorageError::Damaged`] if the files are damaged or older than what was acknowledged.
pub(super) fn open(
    dir: &Path,
    opening: Opening,
    entropy: &dyn Entropy,
    metrics: &Arc<Metrics>,
) -> Result<Disk<impl Engine>, StorageError> {
    let Opening { cache_bytes, .. } = opening;
    Disk::open(dir, Sled { cache_bytes, verified: opening.verified(VERIFIED_BYTES) }, entropy, metrics)
}

#[derive(Debug)]
struct Sled {
    cache_bytes: u64,
    /// Up to this length of its file, in bytes, all of it is looked at when it is opened.
    verified: u64,
}

impl Engine for Sled {
    const KIND: &'static str = "sled";
    const READERS_WAIT: bool = true;
    // Opening writes a snapshot; reading goes on after an error.
    const OPENS_WITHOUT_ROOM: bool = false;
    type Database = Opened;

    fn create(&self, folder: &Path, first: &Link) -> Result<(), StorageError> {
        let folder = folder.join(TREE);
        Opened::open(&folder, self.cache_bytes)?.commit(&Changes::new(), first)?;
        wait_until_closed(&folder.join("db"))
    }

    fn open(&self, folder: &Path) -> Result<Opened, StorageError> {
        let opened = self.reopen(folder)?;
        if opened.log.metadata().map_err(StorageError::from_io)?.len() <= self.verified {
            opened.verify()?;
        }
        Ok(opened)
    }

    fn reopen(&self, folder: &Path) -> Result<Opened, StorageError> {
        let folder = folder.join(TREE);
        let log = folder.join("db");
        if !log.try_exists().map_err(StorageError::from_io)? {
            // sled would begin a new one.
            return Err(damaged("its log is missing"));
        }
        wait_until_closed(&log)?;
        Opened::open(&folder, self.cache_bytes)
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

    /// The value of what is at the name of a record.
    fn assembled(&self, bytes: &[u8]) -> Result<Vec<u8>, StorageError> {
        match Stored::parse(bytes)? {
            Stored::Whole(value) => Ok(value.to_vec()),
            Stored::Chunks { id, count } => {
                let mut value = Vec::new();
                for index in 0..count {
                    let chunk = self.database.get(chunk_key(id, index)).map_err(fault)?;
                    value.extend_from_slice(&chunk.ok_or_else(|| damaged("it has lost part of a value"))?);
                }
                Ok(value)
            }
        }
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
            if synced.contains(&name) || sync_blob(&entry.path())? {
                present.insert(name);
            }
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
        self.stored(key)?.map(|bytes| self.assembled(&bytes)).transpose()
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

    fn scan(&self, after: &str, page: &mut SnapshotPage) -> Result<bool, StorageError> {
        let ahead = (Bound::Excluded(named(after)), Bound::Excluded(vec![NAMED + 1]));
        for record in self.database.range::<Vec<u8>, _>(ahead) {
            let (key, value) = record.map_err(fault)?;
            let name = key.get(1..).and_then(|name| std::str::from_utf8(name).ok());
            let name = name.ok_or_else(|| damaged("a name in it is not text"))?;
            if !page.add(name, self.assembled(&value)) {
                return Ok(false);
            }
        }
        Ok(true)
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

/// Syncs one blob; false if sled has removed it meanwhile, which it does when it has written a successor.
fn sync_blob(path: &Path) -> Result<bool, StorageError> {
    match File::open(path) {
        Ok(blob) => blob.sync_all().map(|()| true).map_err(StorageError::failed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StorageError::from_io(error)),
    }
}

/// Waits for the threads of a sled that this process had open before: they keep the log locked for a moment after it
/// was dropped. Whether another process has the store open is known already when this is called.
fn wait_until_closed(log: &Path) -> Result<(), StorageError> {
    let log = File::open(log).map_err(StorageError::from_io)?;
    let (done, closed) = mpsc::channel();
    let waiter = thread::Builder::new().name("sled-closing".into());
    let wait = move || {
        let unlocked = log.lock().and_then(|()| log.unlock());
        // Nobody may be there any more to hear of it.
        drop(done.send(unlocked));
    };
    waiter.spawn(wait).map_err(StorageError::from_io)?;
    match closed.recv_timeout(CLOSING) {
        Ok(unlocked) => unlocked.map_err(StorageError::from_io),
        Err(_) => Err(StorageError::failed("the database is still being closed; restart the server")),
    }
}

fn insert(batch: &mut sled::Batch, key: &Key, value: &[u8], id: ChunksId) {
    let name = named(key.as_str());
    if name.len() + 1 + value.len() <= RECORD {
        batch.insert(name, Stored::Whole(value).to_bytes());
        return;
    }
    let mut count = 0_u32;
    for chunk in value.chunks(CHUNK) {
        batch.insert(chunk_key(id, count), chunk);
        count += 1;
    }
    batch.insert(name, Stored::Chunks { id, count }.to_bytes());
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::storage::freshness::Witness;

    fn opened(dir: &Path) -> (Opened, Witness) {
        let (witness, first) = Witness::create(&dir.join("witness"), &SeededEntropy::new(1)).unwrap();
        let engine = Sled { cache_bytes: 8 << 20, verified: VERIFIED_BYTES };
        engine.create(dir, &first).unwrap();
        (engine.open(dir).unwrap(), witness)
    }

    fn commit(opened: &Opened, witness: &mut Witness, changes: &Changes) {
        let link = witness.next(changes);
        opened.commit(changes, &link).unwrap();
        witness.record(&link).unwrap();
    }

    #[test]
    fn records_are_bounded_and_leave_no_blobs() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, mut witness) = opened(dir.path());
        for round in 0..4_usize {
            let sized = |n: usize| vec![u8::try_from(round).unwrap(); n * 997 + round];
            let changes = (0..40).map(|n| (Key::new(format!("k/{n}")).unwrap(), Some(sized(n)))).collect();
            commit(&opened, &mut witness, &changes);
            let longest = opened.database.iter().map(|record| record.unwrap());
            let longest = longest.map(|(key, value)| key.len() + value.len()).max().unwrap();
            assert!(longest <= RECORD, "{longest}");
        }
        assert_eq!(fs::read_dir(&opened.blobs).unwrap().count(), 0);
    }

    #[test]
    fn a_blob_that_appears_is_synced() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, mut witness) = opened(dir.path());
        let long = |n: usize| Key::new(format!("{n:04}{}", "k".repeat(Key::MAX_LEN - 4))).unwrap();
        // When sled writes a leaf as a whole is not for us to say: a few dozen rounds do.
        let seen = (0..5000).any(|n| {
            commit(&opened, &mut witness, &Changes::from([(long(n * 37 % 200), Some(vec![0; 200]))]));
            !opened.synced_blobs.lock().unwrap().is_empty()
        });
        assert!(seen, "names this long should need a blob");
        // One that cannot be synced is an error and not an acknowledgement; one that is gone is neither.
        std::os::unix::fs::symlink("nowhere", opened.blobs.join("998")).unwrap();
        opened.sync_blobs().unwrap();
        std::os::unix::fs::symlink("999", opened.blobs.join("999")).unwrap();
        assert!(opened.sync_blobs().is_err());
    }

    #[test]
    fn a_lost_chunk_is_noticed_at_opening_and_at_reading() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, mut witness) = opened(dir.path());
        commit(&opened, &mut witness, &Changes::from([(Key::new("k").unwrap(), Some(vec![7; 20_000]))]));
        opened.verify().unwrap();
        let (chunk, _) = opened.database.scan_prefix([CHUNKED]).nth(2).unwrap().unwrap();
        opened.database.remove(chunk).unwrap();
        assert!(matches!(opened.get("k"), Err(StorageError::Damaged(_))));
        assert!(matches!(opened.verify(), Err(StorageError::Damaged(_))));
    }

    #[test]
    fn a_record_of_no_known_form_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, _) = opened(dir.path());
        for bytes in [&[][..], &[2], &[1], &[1; 16], &[1; 18]] {
            opened.database.insert(named("k"), bytes).unwrap();
            assert!(matches!(opened.get("k"), Err(StorageError::Damaged(_))), "{bytes:?}");
            assert!(matches!(opened.verify(), Err(StorageError::Damaged(_))), "{bytes:?}");
        }
        opened.database.insert(named("k"), &[0]).unwrap();
        opened.database.insert([NAMED, 0xff], &[0]).unwrap();
        assert!(matches!(opened.walk("", &mut |_| Step::Next), Err(StorageError::Damaged(_))));
        opened.database.insert(b"x", b"").unwrap();
        assert!(matches!(opened.verify(), Err(StorageError::Damaged(_))));
    }

    proptest! {
        #[test]
        fn parsing_a_record_does_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            match Stored::parse(&bytes) {
                Ok(Stored::Whole(value)) => prop_assert_eq!(value, &bytes[1..]),
                Ok(Stored::Chunks { .. }) => prop_assert_eq!((bytes[0], bytes.len()), (1, 17)),
                Err(_) => prop_assert!(bytes.is_empty() || bytes[0] > 0),
            }
        }
    }
}
