//! Power cuts under redb: of what was written since the last sync, each part is lost, torn, or there although something
//! that was written before it is not.
//!
//! A recorder stands between redb and its file. After a life of commits the file is put together as a power cut at any
//! point of the record may have left it, and the store is opened over it: it must hold what was acknowledged by then, or
//! that and the one transaction that was on its way. The next life goes on from there, its record beginning with the
//! recovery, so that cuts meet recoveries too.
//!
//! A sector of 512 bytes is whole or as it was before. Drives that write something else into it, or say that something is
//! on disk while it is not, are not simulated here; the last test shows that the second kind would be noticed.

pub(super) mod exchange;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

use super::contract::rounds;
use super::disk::{Disk, Engine, WITNESS};
use super::redb::{Backend, FILE, Over, Redb, open as open_redb};
use super::{Batch, Key, Opening, Page, Storage, StorageError};
use crate::entropy::{Entropy, SeededEntropy, SystemEntropy};
use crate::metrics::Metrics;

const SECTOR: usize = 512;
const CACHE: usize = 8 << 20;
/// Lives of one store, and the power cuts that are tried out for each; the next life goes on from the last of these.
const LIVES: u64 = 3;
const CUTS: u64 = 6;

pub(super) type Model = BTreeMap<String, Vec<u8>>;

/// What was done to the file, or said to a caller.
#[derive(Clone, Debug)]
enum Event {
    Write {
        offset: usize,
        data: Vec<u8>,
    },
    Length(usize),
    Sync,
    /// The newest commit was acknowledged, and this is the witness that was written before.
    Acknowledged {
        witness: Vec<u8>,
    },
}

type Record = Arc<Mutex<Vec<Event>>>;

/// A file whose changes are recorded.
#[derive(Debug)]
struct Recorder {
    backend: Backend,
    record: Record,
}

impl Recorder {
    fn note(&self, event: Event) {
        self.record.lock().unwrap().push(event);
    }
}

impl StorageBackend for Recorder {
    fn len(&self) -> io::Result<u64> {
        self.backend.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.backend.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.note(Event::Length(usize::try_from(len).unwrap()));
        self.backend.set_len(len)
    }

    // The file of the test need not be on a disk: the simulation says what would be there.
    fn sync_data(&self) -> io::Result<()> {
        self.note(Event::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.note(Event::Write { offset: usize::try_from(offset).unwrap(), data: data.to_vec() });
        self.backend.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.backend.close()
    }
}

/// Numbers that are the same for the same seed.
struct Random(SeededEntropy);

impl Random {
    fn next(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes).unwrap();
        u64::from_le_bytes(bytes)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }
}

/// What a drive does with a sync.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drive {
    Honest,
    /// It acknowledges and writes when it likes.
    Lying,
}

#[derive(Default)]
struct Figures {
    cuts: u64,
    acknowledged: u64,
    unsynced: u64,
    torn: u64,
    /// Cuts that left the transaction on its way there.
    ahead: u64,
    losses: Vec<String>,
}

/// A store that lives and loses its power, again and again.
struct Subject {
    folder: tempfile::TempDir,
    random: Random,
    drive: Drive,
    /// What is there.
    model: Model,
    runtime: tokio::runtime::Runtime,
}

/// One life: the files at its beginning, what was done, and what was in the store after each commit.
struct Life {
    image: Vec<u8>,
    witness: Vec<u8>,
    events: Vec<Event>,
    models: Vec<Model>,
}

impl Subject {
    fn new(seed: u64, drive: Drive) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path()).unwrap());
        Self { folder, random: Random(SeededEntropy::new(seed)), drive, model: Model::new(), runtime }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(Redb::KIND).join(name)
    }

    fn live(&mut self) -> Life {
        let (image, witness) = (fs::read(self.file(FILE)).unwrap(), fs::read(self.file(WITNESS)).unwrap());
        let record = Record::default();
        let recording = record.clone();
        let recorder = move |backend| Recorder { backend, record: recording.clone() };
        let engine = Over { engine: Redb { cache_bytes: CACHE, verified: 0 }, backend: recorder, witness: None };
        let disk = Disk::open(self.folder.path(), engine, &SystemEntropy::new(), &metrics()).unwrap();
        let mut models = vec![self.model.clone()];
        for _ in 0..4 + self.random.below(12) {
            let (batch, model) = self.batch();
            self.runtime.block_on(disk.commit(batch)).unwrap();
            let witness = fs::read(self.file(WITNESS)).unwrap();
            record.lock().unwrap().push(Event::Acknowledged { witness });
            models.push(model.clone());
            self.model = model;
        }
        drop(disk);
        let events = record.lock().unwrap().clone();
        Life { image, witness, events, models }
    }

    /// Some puts and deletes, and what is there after them.
    fn batch(&mut self) -> (Batch, Model) {
        let (mut batch, mut model) = (Batch::new(), self.model.clone());
        for _ in 0..=self.random.below(5) {
            let name = format!("k/{}", self.random.below(40));
            let key = Key::new(name.clone()).unwrap();
            if self.random.below(4) == 0 {
                batch.delete(key);
                model.remove(&name);
                continue;
            }
            let longest = [64, 600, 9_000, 120_000][self.random.index(4)];
            let (length, byte) = (self.random.index(longest), self.random.next().to_le_bytes()[0]);
            batch.put(key, vec![byte; length]);
            model.insert(name, vec![byte; length]);
        }
        (batch, model)
    }

    /// Cuts the power somewhere in `life`, and looks at what is there then.
    fn cut(&mut self, life: &Life, figures: &mut Figures) {
        let end = self.random.index(life.events.len() + 1);
        let (image, witness, acknowledged) = self.left(life, end, figures);
        fs::write(self.file(FILE), image).unwrap();
        fs::write(self.file(WITNESS), witness).unwrap();
        figures.cuts += 1;
        figures.acknowledged += acknowledged as u64;
        let found = open(self.folder.path()).and_then(|storage| self.runtime.block_on(contents(&storage)));
        let known = life.models.iter().skip(acknowledged).take(2);
        match found {
            Ok(found) => match known.into_iter().position(|model| *model == found) {
                Some(ahead) => {
                    figures.ahead += ahead as u64;
                    self.model = found;
                }
                None => {
                    figures.losses.push(format!("event {end}: commit {acknowledged} and what follows is not there"));
                }
            },
            Err(error) => figures.losses.push(format!("event {end}, after commit {acknowledged}: {error:?}")),
        }
    }

    /// The file and the witness as the cut leaves them, and how many commits were acknowledged before.
    fn left(&mut self, life: &Life, end: usize, figures: &mut Figures) -> (Vec<u8>, Vec<u8>, usize) {
        let before = &life.events[..end];
        let witnesses: Vec<&Vec<u8>> = before.iter().filter_map(Event::witness).collect();
        let mut witness = witnesses.last().map_or(&life.witness, |witness| witness).clone();
        if let Some(Event::Acknowledged { witness: next }) = life.events.get(end) {
            // It was being written: any of its sectors may be there.
            for (old, new) in witness.chunks_mut(SECTOR).zip(next.chunks(SECTOR)) {
                if self.random.below(2) == 0 {
                    old.copy_from_slice(new);
                }
            }
        }
        let synced = before.iter().rposition(|event| matches!(event, Event::Sync)).unwrap_or(0);
        let synced = if self.drive == Drive::Honest { synced } else { 0 };
        let mut image = life.image.clone();
        let (durable, loose) = before.split_at(synced);
        for event in durable {
            match event {
                Event::Write { offset, data } => image[*offset..*offset + data.len()].copy_from_slice(data),
                Event::Length(length) => image.resize(*length, 0),
                Event::Sync | Event::Acknowledged { .. } => {}
            }
        }
        self.scatter(&mut image, loose, figures);
        (image, witness, witnesses.len())
    }

    /// Lets what was not synced be there, or not, in any order.
    fn scatter(&mut self, image: &mut Vec<u8>, loose: &[Event], figures: &mut Figures) {
        let lengths =
            loose.iter().filter_map(|event| if let Event::Length(length) = event { Some(*length) } else { None });
        let lengths: Vec<usize> = std::iter::once(image.len()).chain(lengths).collect();
        let length = lengths[self.random.index(lengths.len())];
        image.resize(length, 0);
        let mut writes: Vec<(usize, &Vec<u8>)> = loose
            .iter()
            .filter_map(|event| if let Event::Write { offset, data } = event { Some((*offset, data)) } else { None })
            .collect();
        for last in (1..writes.len()).rev() {
            writes.swap(last, self.random.index(last + 1));
        }
        figures.unsynced += writes.len() as u64;
        let kept = self.random.below(4);
        for (offset, data) in writes {
            let fate = self.random.below(4);
            let is_torn = fate == 3;
            figures.torn += u64::from(is_torn);
            for (number, sector) in data.chunks(SECTOR).enumerate() {
                // In some cuts hardly anything is kept, in others nearly everything.
                let is_kept = if is_torn { self.random.below(2) == 0 } else { fate < kept };
                let start = offset + number * SECTOR;
                if is_kept && start + sector.len() <= image.len() {
                    image[start..start + sector.len()].copy_from_slice(sector);
                }
            }
        }
    }
}

impl Event {
    fn witness(&self) -> Option<&Vec<u8>> {
        if let Self::Acknowledged { witness } = self { Some(witness) } else { None }
    }
}

fn metrics() -> Arc<Metrics> {
    Metrics::new(crate::time::Timestamp::from_unix_seconds(0))
}

pub(super) fn open(folder: &Path) -> Result<Disk<Redb>, StorageError> {
    let opening = Opening { cache_bytes: CACHE as u64, whole: false };
    open_redb(folder, opening, &SystemEntropy::new(), &metrics())
}

pub(super) async fn contents(storage: &dyn Storage) -> Result<Model, StorageError> {
    let mut found = Model::new();
    for name in storage.list("k/", Page::all()).await? {
        let name = format!("k/{name}");
        let value = storage.get(&Key::new(name.clone())?).await?;
        found.insert(name, value.ok_or_else(|| StorageError::failed("a key without a value"))?);
    }
    Ok(found)
}

fn torture(seed: u64, drive: Drive, figures: &mut Figures) {
    let mut subject = Subject::new(seed, drive);
    for _ in 0..LIVES {
        let life = subject.live();
        let before = figures.losses.len();
        for _ in 0..CUTS {
            subject.cut(&life, figures);
        }
        if figures.losses.len() > before {
            for loss in &mut figures.losses[before..] {
                *loss = format!("seed {seed}: {loss}");
            }
            return;
        }
    }
}

#[test]
fn power_cuts_lose_nothing_that_was_acknowledged() {
    // Quick, as rounds go: there are more of them than of those that start a server.
    let seeds = rounds().map_or(6, |rounds| rounds as u64 * 3);
    let mut figures = Figures::default();
    for seed in 0..seeds {
        torture(seed, Drive::Honest, &mut figures);
    }
    let Figures { cuts, acknowledged, unsynced, torn, ahead, losses } = figures;
    println!(
        "torture: power-loss seeds={seeds} cuts={cuts} acknowledged={acknowledged} unsynced={unsynced} torn={torn} \
         ahead={ahead} lost={}",
        losses.len()
    );
    assert!(losses.is_empty(), "{losses:#?}");
    assert!(unsynced > cuts && torn > 0, "nothing was at stake: {unsynced} writes in {cuts} cuts");
}

#[test]
fn a_drive_that_lies_about_syncs_is_noticed() {
    let mut figures = Figures::default();
    for seed in 0..3 {
        torture(seed, Drive::Lying, &mut figures);
    }
    assert!(!figures.losses.is_empty(), "the simulation takes nothing away");
}
