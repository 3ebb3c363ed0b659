//! Power cuts while a store is created, and while one takes the place of another: wherever they come, there is the old
//! store or the new one, whole, or none yet; and what was replaced is kept.
//!
//! The steps of both (renaming, removing and syncing folders and files) are counted. The power goes before each of them:
//! what was not synced by then is there, or all of it is lost. A rename is undone unless the folder above was synced after
//! it, a file that was not synced is empty, a folder that was to be removed lacks a part.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Model, contents, open};
use crate::storage::contract::files_below;
use crate::storage::{Batch, Key, Replacement, Storage, StorageError};

/// A step that changes what is on disk.
#[derive(Clone, Copy, Debug)]
pub(in crate::storage) enum Step<'a> {
    /// A folder is renamed.
    Rename(&'a Path, &'a Path),
    /// A folder is removed.
    Remove(&'a Path),
    /// A file or a folder is synced.
    Sync(&'a Path),
}

/// What was done up to the power cut.
#[derive(Default)]
struct Power {
    /// The steps until it goes; nothing if it stays.
    left: Option<usize>,
    steps: usize,
    is_gone: bool,
    /// The files that were synced, by their numbers.
    synced: BTreeSet<u64>,
    /// Renames that a cut may undo, the newest last.
    loose: Vec<(PathBuf, PathBuf)>,
}

thread_local! {
    static POWER: RefCell<Power> = RefCell::default();
}

/// Comes before each step. An error if there is no power for it.
pub(in crate::storage) fn step(step: Step<'_>) -> Result<(), StorageError> {
    POWER.with_borrow_mut(|power| {
        if power.is_gone || power.left == Some(power.steps) {
            if let (Step::Remove(folder), false) = (step, power.is_gone) {
                let part = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_file());
                if let Some(path) = part {
                    fs::remove_file(path).unwrap();
                }
            }
            power.is_gone = true;
            return Err(StorageError::failed("the power is gone"));
        }
        power.steps += 1;
        match step {
            Step::Rename(from, to) => power.loose.push((from.to_owned(), to.to_owned())),
            Step::Sync(path) => {
                power.synced.insert(fs::metadata(path).unwrap().ino());
                power.loose.retain(|(_, to)| to.parent() != Some(path));
            }
            Step::Remove(_) => {}
        }
        Ok(())
    })
}

/// Does `work` with power for so many steps, and tells whether that was enough. If `forgets`, what may be lost is lost.
fn cut(dir: &Path, steps: usize, forgets: bool, work: impl FnOnce() -> Result<(), StorageError>) -> bool {
    let number = |path: &Path| fs::metadata(path).unwrap().ino();
    let durable: BTreeSet<u64> = files_below(dir).iter().map(|path| number(path)).collect();
    POWER.set(Power { left: Some(steps), ..Power::default() });
    let outcome = work();
    let Power { is_gone, synced, loose, .. } = POWER.take();
    // Some steps are not needed: what they are for is done without them. The power is gone all the same.
    assert!(is_gone || outcome.is_ok(), "{outcome:?}");
    if is_gone && forgets {
        for (from, to) in loose.iter().rev() {
            fs::rename(to, from).unwrap();
        }
        for path in files_below(dir) {
            if !durable.contains(&number(&path)) && !synced.contains(&number(&path)) {
                fs::write(path, b"").unwrap();
            }
        }
    }
    !is_gone
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// Writes `text` into the store under `dir`.
fn store(dir: &Path, text: &str) -> Result<(), StorageError> {
    let mut batch = Batch::new();
    batch.put(Key::new("k/text")?, text.as_bytes().to_vec());
    let storage = open(dir)?;
    runtime().block_on(storage.commit(batch))
}

/// What is in the store under `dir`, which must open; nothing if it is empty.
fn found(dir: &Path) -> Result<Option<String>, StorageError> {
    let storage = open(dir)?;
    let model: Model = runtime().block_on(contents(&storage))?;
    Ok(model.get("k/text").map(|text| String::from_utf8(text.clone()).unwrap()))
}

/// Puts a new store in the place of the one under `dir`.
fn exchange(dir: &Path) -> Result<(), StorageError> {
    let replacement = Replacement::begin(dir, "redb")?;
    store(&replacement.staging(), "new")?;
    replacement.put_in_place().map(drop)
}

/// What is in each of the stores that were replaced, the oldest first. They are moved away, to be opened.
fn kept(dir: &Path) -> Vec<Option<String>> {
    let elsewhere = tempfile::tempdir().unwrap();
    let names = ["redb.replaced", "redb.replaced-2", "redb.replaced-3"].map(|name| dir.join(name));
    let moved = names.iter().filter(|path| path.exists()).enumerate().map(|(number, path)| {
        let above = elsewhere.path().join(number.to_string());
        fs::create_dir(&above).unwrap();
        fs::rename(path, above.join("redb")).unwrap();
        found(&above).unwrap()
    });
    moved.collect()
}

#[derive(Default)]
struct Figures {
    cuts: usize,
    old: usize,
    new: usize,
    losses: Vec<String>,
}

/// Exchanges a store with the power going before a step, in both ways. Whether there was such a step.
fn exchange_cut(has_replaced: bool, steps: usize, figures: &mut Figures) -> bool {
    let mut was_cut = false;
    for forgets in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        store(dir.path(), "older").unwrap();
        if has_replaced {
            exchange(dir.path()).unwrap();
        }
        store(dir.path(), "old").unwrap();
        let is_done = cut(dir.path(), steps, forgets, || exchange(dir.path()));
        figures.cuts += usize::from(!is_done);
        was_cut |= !is_done;
        let outcome = (found(dir.path()), found(dir.path()));
        match &outcome {
            (Ok(Some(first)), Ok(Some(again))) if first == again && first == "old" && !is_done => figures.old += 1,
            (Ok(Some(first)), Ok(Some(again))) if first == again && first == "new" => figures.new += 1,
            _ => figures.losses.push(format!("step {steps}, forgets: {forgets}: {outcome:?}")),
        }
        let again = exchange(dir.path()).and_then(|()| found(dir.path()));
        if !matches!(&again, Ok(Some(text)) if text == "new") {
            figures.losses.push(format!("step {steps}, forgets: {forgets}: another exchange: {again:?}"));
        }
        let kept = kept(dir.path());
        let expected: &[&str] = if has_replaced { &["older", "old"] } else { &["old"] };
        if !kept.starts_with(&expected.iter().map(|text| Some((*text).to_owned())).collect::<Vec<_>>()) {
            figures.losses.push(format!("step {steps}, forgets: {forgets}: what was replaced: {kept:?}"));
        }
    }
    was_cut
}

#[test]
fn a_power_cut_leaves_the_old_store_or_the_new_one() {
    let mut figures = Figures::default();
    for has_replaced in [false, true] {
        let steps = (0..200).take_while(|steps| exchange_cut(has_replaced, *steps, &mut figures)).count();
        assert!((10..200).contains(&steps), "{steps} steps");
    }
    let Figures { cuts, old, new, losses } = figures;
    println!("torture: power-exchange cuts={cuts} old={old} new={new} lost={}", losses.len());
    assert!(losses.is_empty(), "{losses:#?}");
    assert!(old > 4 && new > 4, "{old} old, {new} new");
}

#[test]
fn a_power_cut_while_a_store_is_created_leaves_none_or_all_of_it() {
    let (mut cuts, mut losses) = (0, Vec::new());
    let mut creation_cut = |steps: usize, forgets: bool| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("above/store");
        let is_done = cut(dir.path(), steps, forgets, || open(&path).map(drop));
        cuts += usize::from(!is_done);
        let first = found(&path);
        let written = store(&path, "text").and_then(|()| found(&path));
        if !matches!(first, Ok(None)) || !matches!(&written, Ok(Some(text)) if text == "text") {
            losses.push(format!("step {steps}, forgets: {forgets}: {first:?}, then {written:?}"));
        }
        !is_done
    };
    let steps = (0..200).take_while(|steps| creation_cut(*steps, false) && creation_cut(*steps, true)).count();
    println!("torture: power-creation cuts={cuts} lost={}", losses.len());
    assert!(losses.is_empty(), "{losses:#?}");
    assert!((8..200).contains(&steps), "{steps} steps");
}
