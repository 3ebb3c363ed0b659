//! Files that were hurt, page by page and in every way: what is wrong is named, and nothing is served for something else.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::storage::contract::{copy_into, files_below, rounds};

/// What redb and sled write at a time.
const PAGE: usize = 4096;
const NOTES: u32 = 120;
/// In how many places each file is hurt in each way, in the quick form.
const PLACES: usize = 6;

/// What is done to a page of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hurt {
    /// One bit is another.
    Bit,
    /// It is empty.
    Zeroed,
    /// It and the next one have changed places.
    Exchanged,
    /// It is as it was before some of the records were written again.
    Older,
    /// The file ends before it.
    Cut,
}

const HURTS: [Hurt; 5] = [Hurt::Bit, Hurt::Zeroed, Hurt::Exchanged, Hurt::Older, Hurt::Cut];

impl Hurt {
    /// Whether there was something to hurt.
    fn apply(self, bytes: &mut Vec<u8>, page: usize, older: &[u8]) -> bool {
        let (before, at) = (bytes.clone(), page * PAGE);
        let end = (at + PAGE).min(bytes.len());
        match self {
            Self::Bit => bytes[at + page * 1009 % (end - at)] ^= 1 << (page % 8),
            Self::Zeroed => bytes[at..end].fill(0),
            Self::Exchanged => match bytes.get_mut(at..at + 2 * PAGE) {
                Some(both) => both.rotate_left(PAGE),
                None => return false,
            },
            Self::Older => match older.get(at..end) {
                Some(older) => bytes[at..end].copy_from_slice(older),
                None => return false,
            },
            Self::Cut => bytes.truncate(at),
        }
        *bytes != before
    }
}

/// A store, and what is known of it.
struct Base {
    kind: &'static str,
    dir: TempDir,
    /// Its files before some of its records were written again.
    older: TempDir,
    root: RootKey,
    records: BTreeMap<String, Vec<u8>>,
}

impl Base {
    async fn new(kind: &'static str) -> Self {
        let (dir, older) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let storage = opened(kind, dir.path()).unwrap();
        let root = vault(&storage, NOTES).await;
        drop(storage);
        copy_into(dir.path(), older.path());
        let storage = opened(kind, dir.path()).unwrap();
        write_notes(&unlocked(&storage, &root).await, "m", NOTES / 2).await;
        let records = records(&storage).await;
        Self { kind, dir, older, root, records }
    }

    /// The files of the store, without the room that is kept for hard times, which says nothing.
    fn files(&self) -> Vec<PathBuf> {
        let mut found = files_below(&self.dir.path().join(self.kind));
        found.retain(|path| !path.ends_with("reserve") && fs::metadata(path).unwrap().len() > 0);
        found.sort();
        found
    }

    /// What comes of a copy of the store in `dir`, which was hurt.
    async fn judge(&self, dir: &Path, hurt: Hurt, how: &str) -> Outcome {
        let storage = match open(self.kind, dir, Opening::whole(), &SystemEntropy::new(), &metrics()) {
            Ok(storage) => storage,
            Err(StorageError::Damaged(words)) => {
                assert!(!words.is_empty(), "{how}");
                return Outcome::Refused;
            }
            Err(error) => panic!("{how}: not called damage: {error:?}"),
        };
        let report = match Barrier::unlock(storage.clone(), &self.root, entropy()).await {
            Ok(barrier) => {
                let other = self.another_note(&barrier).await;
                let report = checked(&storage, Some(barrier)).await;
                // Pages that are older, or lie elsewhere, can bring back an older record, over which it stays sealed; nothing
                // else can.
                let may_be_older = matches!(hurt, Hurt::Older | Hurt::Exchanged);
                let is_called_sound = report.as_ref().is_ok_and(|report| report.sound);
                if other && (is_called_sound || !may_be_older) {
                    return Outcome::Unnoticed;
                }
                report
            }
            Err(error) => Err(error.into()),
        };
        match report {
            // With words, and nothing is served.
            Err(error) => {
                assert!(!error.to_string().is_empty(), "{how}");
                Outcome::Refused
            }
            Ok(report) if report.sound && records(&storage).await == self.records => Outcome::Harmless,
            Ok(report) if report.sound => Outcome::Unnoticed,
            Ok(report) => {
                let says = |finding: &Finding| !finding.key.is_empty() || finding.fault == Fault::Unaccounted;
                assert!(report.findings.iter().any(says), "{how}: nothing is named: {:?}", report.findings);
                Outcome::Named
            }
        }
    }

    /// Whether a note opens that is not what was written last.
    async fn another_note(&self, barrier: &Arc<Barrier>) -> bool {
        let notes = barrier.view(Scope::new(ROOT_NAMESPACE, "notes"));
        for n in 0..NOTES {
            let (name, letter) = (format!("{n:04}"), if n < NOTES / 2 { 'm' } else { 'n' });
            match notes.get::<Note>(&name).await {
                Ok(Some(note)) if note.text.chars().any(|found| found != letter) => return true,
                _ => {}
            }
        }
        false
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// It does not open, with words.
    Refused,
    /// A check says what is wrong.
    Named,
    /// All records are what they were.
    Harmless,
    /// Something else is there, and nothing says so.
    Unnoticed,
}

/// So many pages of what is used of a file, evenly: sled's log is longer than what is in it.
fn pages(bytes: &[u8], places: usize) -> Vec<usize> {
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) / PAGE + 1;
    let places = places.min(used);
    (0..places).map(|place| place * used / places).collect()
}

async fn damage_is_named(kind: &'static str) {
    let base = Base::new(kind).await;
    let (mut outcomes, mut unnoticed) = (BTreeMap::<Outcome, u32>::new(), Vec::new());
    for file in base.files() {
        let (name, whole) = (file.strip_prefix(base.dir.path()).unwrap(), fs::read(&file).unwrap());
        let older = fs::read(base.older.path().join(name)).unwrap_or_default();
        for page in pages(&whole, rounds().unwrap_or(PLACES)) {
            for hurt in HURTS {
                let mut bytes = whole.clone();
                if !hurt.apply(&mut bytes, page, &older) {
                    continue;
                }
                let copy = TempDir::new().unwrap();
                copy_into(base.dir.path(), copy.path());
                fs::write(copy.path().join(name), bytes).unwrap();
                let how = format!("{hurt:?} at page {page} of {}", name.display());
                let outcome = base.judge(copy.path(), hurt, &how).await;
                *outcomes.entry(outcome).or_default() += 1;
                if outcome == Outcome::Unnoticed {
                    unnoticed.push(how);
                }
            }
        }
    }
    let count = |outcome| outcomes.get(&outcome).copied().unwrap_or(0);
    let (refused, named) = (count(Outcome::Refused), count(Outcome::Named));
    println!(
        "torture: damage-{kind} copies={} refused={refused} named={named} harmless={} lost={}",
        outcomes.values().sum::<u32>(),
        count(Outcome::Harmless),
        unnoticed.len()
    );
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
    assert!(refused + named > outcomes.values().sum::<u32>() / 4, "{outcomes:?}");
}

/// What nothing but a checkpoint tells counts as unnoticed here: this judge can say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_older_as_a_whole_is_unnoticed() {
    let base = Base::new("redb").await;
    assert_eq!(base.judge(base.older.path(), Hurt::Older, "all of it").await, Outcome::Unnoticed);
    assert_eq!(base.judge(base.dir.path(), Hurt::Bit, "nothing").await, Outcome::Harmless);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_to_redb_is_named() {
    damage_is_named("redb").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_to_sled_is_named() {
    damage_is_named("sled").await;
}
