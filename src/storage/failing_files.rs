//! Files that fail under redb: each write and each sync of some commits fails once, those of the witness among them.
//!
//! Something stands between the store and its files that lets one write fail, before anything of it is written or after
//! half of it, for want of room or with an error of the disk; or one sync. Whatever the callers were told must then be
//! true: of the store that goes on, of the files as they were when the process ended at once, and of the files as the
//! store left them when it was closed. A failed write is not tried again by the operating system; what a failed sync
//! takes away is the matter of [`power`](super::power).

use std::path::Path;

use super::contract::{batch_of, copy_into, rounds};
use super::disk::Engine;
use super::fault::{FaultyFiles, FileFault};
use super::power::{Model, contents, open};
use super::redb::Redb;
use super::{Storage, StorageError};

/// A key, and what is to be there; nothing is a removal.
type Write = (&'static str, Option<Vec<u8>>);

/// Some commits: one that overwrites and removes, one for which the file grows, one that is small.
fn batches() -> Vec<Vec<Write>> {
    vec![
        vec![("k/a", Some(vec![1; 700])), ("k/b", None), ("k/c", Some(vec![1; 20]))],
        vec![("k/d", Some(vec![2; 1_500_000])), ("k/a", None), ("k/e", Some(vec![2; 9_000]))],
        vec![("k/c", Some(vec![3; 40])), ("k/f", Some(vec![3]))],
    ]
}

fn after(model: &Model, writes: &[Write]) -> Model {
    let mut model = model.clone();
    for (key, value) in writes {
        match value {
            Some(value) => drop(model.insert((*key).to_owned(), value.clone())),
            None => drop(model.remove(*key)),
        }
    }
    model
}

/// What may be in a store, by what its callers were told.
struct Told {
    acknowledged: Model,
    /// With the commit of which nobody knows.
    unknown: Option<Model>,
}

impl Told {
    fn allows(&self, found: &Model) -> bool {
        *found == self.acknowledged || self.unknown.as_ref() == Some(found)
    }
}

#[derive(Default)]
struct Figures {
    /// Writes and syncs that failed.
    writes: usize,
    syncs: usize,
    acknowledged: u64,
    /// Commits of which the caller was told that they are not there.
    refused: u64,
    /// Commits of which nobody knows.
    failed: u64,
    /// Whether the file of the witness failed, too.
    witness: bool,
    losses: Vec<String>,
}

/// A folder in memory if there is one: no sync has to reach a disk here.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// The files of a store, as they are now, in a folder of their own.
fn copied(folder: &Path) -> tempfile::TempDir {
    let copy = self::folder();
    copy_into(&folder.join(Redb::KIND), &copy.path().join(Redb::KIND));
    copy
}

/// What is in a store, for a message: its keys and how long their values are.
fn shown(model: &Model) -> String {
    let lengths: Vec<_> = model.iter().map(|(key, value)| (key, value.len())).collect();
    format!("{lengths:?} ")
}

/// A store, and what it was given before anything failed.
struct Subject {
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
    before: Model,
}

impl Subject {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let folder = folder();
        let writes = [("k/a", Some(vec![0; 3_000])), ("k/b", Some(vec![0; 50])), ("k/z", Some(vec![0; 40_000]))];
        runtime.block_on(open(folder.path()).unwrap().commit(batch_of(&writes))).unwrap();
        Self { runtime, folder, before: after(&Model::new(), &writes) }
    }

    /// The same as a process leaves it that ends with a commit in the database of which the witness does not know.
    fn ended() -> Self {
        let subject = Self::new();
        let writes = &batches()[0];
        for number in 1..500 {
            let folder = copied(subject.folder.path());
            let files = FaultyFiles::default();
            let disk = files.open(folder.path()).unwrap();
            files.fail(FileFault::Sync, number);
            let _ = subject.runtime.block_on(disk.commit(batch_of(writes)));
            if files.was_witness() {
                let before = after(&subject.before, writes);
                return Self { folder: copied(folder.path()), before, ..subject };
            }
        }
        panic!("the witness is not synced")
    }

    /// Commits something with one write or sync failing, and looks at what is there. Whether there was one to fail.
    fn fail_commits(&self, fault: FileFault, number: u64, figures: &mut Figures) -> bool {
        let folder = copied(self.folder.path());
        let files = FaultyFiles::default();
        let disk = files.open(folder.path()).unwrap();
        files.fail(fault, number);
        let mut told = Told { acknowledged: self.before.clone(), unknown: None };
        for writes in batches() {
            let next = after(&told.acknowledged, &writes);
            match (self.runtime.block_on(disk.commit(batch_of(&writes))), &told.unknown) {
                (Ok(()), None) => {
                    figures.acknowledged += 1;
                    told.acknowledged = next;
                }
                (Err(StorageError::Full), None) | (Err(StorageError::ReadOnly), Some(_)) => figures.refused += 1,
                (Err(StorageError::Failed(_)), None) => {
                    figures.failed += 1;
                    told.unknown = Some(next);
                }
                (outcome, _) => figures.losses.push(format!("{fault:?} {number}: a commit is answered {outcome:?}")),
            }
            match self.runtime.block_on(contents(&*disk)) {
                Ok(found) if told.allows(&found) => {}
                // After an error redb does not read what is not in its cache.
                Err(StorageError::Failed(_)) if told.unknown.is_some() => {}
                outcome => figures.losses.push(format!("{fault:?} {number}: {outcome:?} is served")),
            }
        }
        let was_hit = files.was_hit();
        figures.witness |= files.was_witness();
        let ended = copied(folder.path());
        drop(disk);
        for (left, folder) in [("when it ended", ended.path()), ("when it was closed", folder.path())] {
            self.reopen(folder, &told, &format!("{fault:?} {number}, {left}"), figures);
        }
        was_hit
    }

    /// Opens the store with one write or sync failing, and then without.
    fn fail_opening(&self, fault: FileFault, number: u64, figures: &mut Figures) -> bool {
        let folder = copied(self.folder.path());
        let files = FaultyFiles::default();
        files.fail(fault, number);
        let opened = files.open(folder.path());
        let told = Told { acknowledged: self.before.clone(), unknown: None };
        match &opened {
            Ok(disk) => match self.runtime.block_on(contents(&**disk)) {
                Ok(found) if told.allows(&found) => {}
                outcome => figures.losses.push(format!("opening, {fault:?} {number}: {outcome:?} is served")),
            },
            Err(StorageError::Full) => figures.refused += 1,
            Err(StorageError::Failed(_)) => figures.failed += 1,
            Err(error) => figures.losses.push(format!("opening, {fault:?} {number}: {error:?}")),
        }
        let was_hit = files.was_hit();
        let ended = copied(folder.path());
        drop(opened);
        for (left, folder) in [("when it ended", ended.path()), ("when it was closed", folder.path())] {
            self.reopen(folder, &told, &format!("opening, {fault:?} {number}, {left}"), figures);
        }
        was_hit
    }

    /// Opens what is left with nothing failing, compares it, and writes to it.
    fn reopen(&self, folder: &Path, told: &Told, when: &str, figures: &mut Figures) {
        let opened = open(folder).and_then(|storage| Ok((self.runtime.block_on(contents(&storage))?, storage)));
        let (found, storage) = match opened {
            Ok((found, storage)) if told.allows(&found) => (found, storage),
            Ok((found, _)) => return figures.losses.push(format!("{when}: {}is there", shown(&found))),
            Err(error) => return figures.losses.push(format!("{when}: {error:?}")),
        };
        let writes = [("k/new", Some(vec![9; 100]))];
        let written = self.runtime.block_on(async {
            storage.commit(batch_of(&writes)).await?;
            contents(&storage).await
        });
        if !written.as_ref().is_ok_and(|written| *written == after(&found, &writes)) {
            figures.losses.push(format!("{when}: it does not go on: {written:?}"));
        }
    }
}

#[test]
fn every_write_of_a_commit_fails_once() {
    let mut figures = Figures::default();
    let (sound, ended) = (Subject::new(), Subject::ended());
    for (first, fault) in (1..).zip(FileFault::ALL) {
        let commits = each(numbers(first), |number| sound.fail_commits(fault, number, &mut figures));
        // There are few of them.
        let opening = each(1..500, |number| ended.fail_opening(fault, number, &mut figures));
        assert!(commits > 0 && opening > 0, "{fault:?}: {commits}, {opening}");
        let count = if fault == FileFault::Sync { &mut figures.syncs } else { &mut figures.writes };
        *count += commits + opening;
    }
    let Figures { writes, syncs, acknowledged, refused, failed, witness, losses } = figures;
    let faults = writes + syncs;
    println!(
        "torture: faults-files writes={writes} syncs={syncs} faults={faults} acknowledged={acknowledged} \
         refused={refused} failed={failed} lost={}",
        losses.len()
    );
    assert!(losses.is_empty(), "{losses:#?}");
    assert!(acknowledged > 0 && refused > 0 && failed > 0 && witness, "nothing was at stake");
}

#[test]
fn a_write_that_is_said_to_be_done_and_is_not_is_noticed() {
    let mut figures = Figures::default();
    let sound = Subject::new();
    let writes = each(numbers(1), |number| sound.fail_commits(FileFault::Lies, number, &mut figures));
    assert!(figures.losses.len() > writes / 10, "{writes} writes: {:#?}", figures.losses);
}

/// Which write, or sync, fails. The quick run takes each third, and another one of them with another `first`.
fn numbers(first: u64) -> impl Iterator<Item = u64> {
    let is_long = rounds().is_some();
    let (start, stride) = if is_long { (1, 1) } else { (1 + first % 3, 3) };
    (start..500).step_by(stride)
}

/// Lets these writes, or syncs, fail until there are no more of them; how many there were.
fn each(numbers: impl IntoIterator<Item = u64>, mut fail: impl FnMut(u64) -> bool) -> usize {
    let count = numbers.into_iter().take_while(|number| fail(*number)).count();
    assert!(count < 160, "it has no end");
    count
}
