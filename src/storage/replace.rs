//! Putting a store in the place of another, so that there is always the old one or the new one.
//!
//! The new store of kind `k` under the folder `d` is built below `d/k.restoring/`. Once it is complete and synced it is
//! renamed to `d/k.restored`: from then on it is the one that counts, and whoever opens the folder next finishes what is
//! left to do. The old store becomes `d/k.replaced`, or `d/k.replaced-2` and so on where there are stores that were replaced
//! before. Each stays there until it is removed by hand: the newest is not the one that is missed when the backup was the
//! wrong one.
//!
//! What root builds belongs to the owner of `d` before it counts, for the server is that user.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::StorageError;
use super::files::{self, at, exists, lock, refuse_other_kind, remove, rename, settle, sync};
use super::owner::{self, Owner};

/// Behind the kind, in the name of a store that was replaced.
const REPLACED: &str = ".replaced";

/// What is left of stores that were replaced.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The folder of the store that was replaced just now, if there was one.
    pub now: Option<PathBuf>,
    /// The folders of those that were replaced before, the oldest first.
    pub before: Vec<PathBuf>,
}

/// The store of a folder about to be replaced. No other process can open it meanwhile.
#[derive(Debug)]
pub struct Replacement {
    dir: PathBuf,
    kind: &'static str,
    _lock: File,
}

impl Replacement {
    /// Locks the folder `dir`, in which a store of `kind` is to be, or will be, and makes the folder for the new one.
    ///
    /// Fails with [`StorageError::Refused`] if another process has its store open, or if it holds a store of another kind.
    pub fn begin(dir: &Path, kind: &str) -> Result<Self, StorageError> {
        let kind = files::KINDS.into_iter().find(|known| *known == kind);
        let kind = kind.ok_or_else(|| StorageError::Refused("only a store on disk can be replaced".into()))?;
        owner::create(dir, kind)?;
        let lock = lock(dir)?;
        refuse_other_kind(dir, kind)?;
        finish(dir, kind)?;
        let replacement = Self { dir: dir.to_owned(), kind, _lock: lock };
        replacement.clear()?;
        let staging = replacement.staging();
        DirBuilder::new().mode(0o700).create(&staging).map_err(at(&staging))?;
        Ok(replacement)
    }

    /// The folder in which the new store is to be built, with [`super::open`]. Close it before it is put in place.
    pub fn staging(&self) -> PathBuf {
        staging(&self.dir, self.kind)
    }

    /// Puts the new store in the place of the old one, and tells where that is now, if there was one.
    pub fn put_in_place(self) -> Result<Kept, StorageError> {
        let before = replaced(&self.dir, self.kind)?.into_values().collect();
        let built = self.staging().join(self.kind);
        if let Some(owner) = Owner::of(&self.dir, self.kind)? {
            owner.give(&built)?;
            owner.give(&self.dir.join("lock"))?;
        }
        settle(&built)?;
        rename(&built, &restored(&self.dir, self.kind))?;
        sync(&self.dir)?;
        let now = finish(&self.dir, self.kind)?;
        self.clear()?;
        Ok(Kept { now, before })
    }

    /// Removes what is left of a store that was not completed.
    fn clear(&self) -> Result<(), StorageError> {
        let staging = self.staging();
        if exists(&staging)? {
            remove(&staging)?;
        }
        Ok(())
    }
}

/// Whether there is a store of `kind` under the folder `dir`, in its place or about to be put there.
pub fn has_store(dir: &Path, kind: &str) -> Result<bool, StorageError> {
    Ok(exists(&dir.join(kind))? || exists(&restored(dir, kind))?)
}

/// Finishes a replacement that was decided, and tells where the old store is now if it was moved. To be called with `dir`
/// locked.
pub(super) fn finish(dir: &Path, kind: &str) -> Result<Option<PathBuf>, StorageError> {
    let (new, current) = (restored(dir, kind), dir.join(kind));
    if !exists(&new)? {
        return Ok(None);
    }
    // After an interruption the old store may have been moved already. Otherwise those that are there are of earlier
    // replacements.
    let old = if exists(&current)? { Some(free(dir, kind)?) } else { None };
    if let Some(old) = &old {
        rename(&current, old)?;
        sync(dir)?;
    }
    rename(&new, &current)?;
    sync(dir)?;
    Ok(old)
}

fn staging(dir: &Path, kind: &str) -> PathBuf {
    dir.join(format!("{kind}.restoring"))
}

/// Where a complete new store waits to be put in place.
pub(super) fn restored(dir: &Path, kind: &str) -> PathBuf {
    dir.join(format!("{kind}.restored"))
}

/// What has the name of a store that was replaced, by its number: `k.replaced` is 1, `k.replaced-2` is 2.
fn replaced(dir: &Path, kind: &str) -> Result<BTreeMap<u32, PathBuf>, StorageError> {
    let first = format!("{kind}{REPLACED}");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(at(dir))? {
        let entry = entry.map_err(at(dir))?;
        let name = entry.file_name();
        let number = match name.to_str().and_then(|name| name.strip_prefix(&first)) {
            Some("") => Some(1),
            Some(rest) => rest.strip_prefix('-').and_then(|number| number.parse().ok()),
            None => None,
        };
        if let Some(number) = number {
            found.insert(number, entry.path());
        }
    }
    Ok(found)
}

/// The name for the next one. Never one between those that are there, so that the highest number is the newest.
fn free(dir: &Path, kind: &str) -> Result<PathBuf, StorageError> {
    let number = match replaced(dir, kind)?.last_key_value() {
        None => return Ok(dir.join(format!("{kind}{REPLACED}"))),
        Some((highest, _)) => u64::from(*highest) + 1,
    };
    Ok(dir.join(format!("{kind}{REPLACED}-{number}")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, chown, symlink};

    use super::*;
    use crate::storage::files::Folder;

    fn store(dir: &Path, text: &str) {
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join("file"), text).unwrap();
    }

    fn found(dir: &Path) -> String {
        let folder = Folder::open(dir, "redb", |_| panic!("there is a store")).unwrap();
        fs::read_to_string(folder.path().join("file")).unwrap()
    }

    fn replace(dir: &Path, text: &str) -> Kept {
        let replacement = Replacement::begin(dir, "redb").unwrap();
        store(&replacement.staging().join("redb"), text);
        replacement.put_in_place().unwrap()
    }

    #[test]
    fn the_new_store_takes_the_place_of_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(replace(dir.path(), "first"), Kept::default());
        assert_eq!(found(dir.path()), "first");
        let names = ["redb.replaced", "redb.replaced-2", "redb.replaced-3"].map(|name| dir.path().join(name));
        for (replaced, text) in ["second", "third", "fourth"].into_iter().enumerate() {
            let Kept { now, before } = replace(dir.path(), text);
            assert_eq!(found(dir.path()), text);
            assert_eq!((now.as_ref(), &before[..]), (names.get(replaced), &names[..replaced]));
        }
        let texts = names.each_ref().map(|name| fs::read_to_string(name.join("file")).unwrap());
        assert_eq!(texts, ["first", "second", "third"], "nothing that was replaced is lost");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5, "the lock and the four stores");
    }

    #[test]
    fn a_name_that_is_taken_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        store(&dir.path().join("redb"), "old");
        for name in ["redb.replaced-7", "redb.replaced-8", "redb.replaced-x", "redb.replaced.tar", "sled.replaced-9"] {
            fs::write(dir.path().join(name), "of somebody else").unwrap();
        }
        assert_eq!(replace(dir.path(), "new").now, Some(dir.path().join("redb.replaced-9")));
        assert_eq!(found(dir.path()), "new");
        assert_eq!(fs::read_to_string(dir.path().join("redb.replaced-9/file")).unwrap(), "old");
        fs::remove_dir_all(dir.path().join("redb.replaced-9")).unwrap();
        assert_eq!(replace(dir.path(), "newer").now, Some(dir.path().join("redb.replaced-9")));
    }

    #[test]
    fn wherever_it_is_interrupted_there_is_the_old_store_or_the_new_one() {
        // What is in the folder after each step, and which store counts then.
        let steps: [(&[(&str, &str)], &str); 6] = [
            (&[("redb", "old")], "old"),
            (&[("redb", "old"), ("redb.restoring/redb", "part of the new")], "old"),
            (&[("redb", "old"), ("redb.restored", "new")], "new"),
            (&[("redb", "old"), ("redb.replaced", "older"), ("redb.restored", "new")], "new"),
            (&[("redb.replaced", "old"), ("redb.restored", "new")], "new"),
            (&[("redb.replaced", "older"), ("redb.replaced-2", "old"), ("redb.restored", "new")], "new"),
        ];
        for (folders, expected) in steps {
            let dir = tempfile::tempdir().unwrap();
            for (name, text) in folders {
                store(&dir.path().join(name), text);
            }
            assert_eq!(found(dir.path()), expected, "{folders:?}");
            assert!(!dir.path().join("redb.restored").exists());
            let mut kept = replaced(dir.path(), "redb").unwrap().into_values();
            let mut kept = || kept.next().map(|path| fs::read_to_string(path.join("file")).unwrap());
            if folders.iter().any(|(_, text)| *text == "older") {
                assert_eq!(kept().as_deref(), Some("older"), "{folders:?}");
            }
            assert_eq!(kept().as_deref(), (expected == "new").then_some("old"), "{folders:?}");
        }
    }

    /// Whether this test can give files away, which only root can.
    fn is_root() -> bool {
        let is_root = rustix::process::geteuid().is_root();
        if !is_root {
            println!("skipped: only root can give files away");
        }
        is_root
    }

    fn belongs_to(path: &Path) -> (u32, u32) {
        let metadata = fs::symlink_metadata(path).unwrap();
        (metadata.uid(), metadata.gid())
    }

    #[test]
    fn what_root_builds_belongs_to_the_owner_of_the_folder() {
        if !is_root() {
            return;
        }
        let above = tempfile::tempdir().unwrap();
        let dir = above.path().join("a/b");
        fs::create_dir(above.path().join("a")).unwrap();
        chown(above.path().join("a"), Some(65_533), Some(65_532)).unwrap();
        // The first makes the folder, and the others find it. The store's own owner counts where the folder is root's.
        for (text, folder, owner) in [
            ("first", None, (65_533, 65_532)),
            ("second", Some((65_531, 65_530)), (65_531, 65_530)),
            ("third", Some((0, 0)), (65_531, 65_530)),
        ] {
            if let Some((uid, gid)) = folder {
                chown(&dir, Some(uid), Some(gid)).unwrap();
            }
            let replacement = Replacement::begin(&dir, "redb").unwrap();
            let built = replacement.staging().join("redb");
            store(&built.join("tree"), text);
            store(&built, text);
            replacement.put_in_place().unwrap();
            for name in ["redb", "redb/file", "redb/tree", "redb/tree/file"] {
                assert_eq!(belongs_to(&dir.join(name)), owner, "{text}: {name}");
            }
        }
        assert_eq!(belongs_to(&dir.join("lock")), (65_533, 65_532), "it was somebody's already");
    }

    #[test]
    fn what_is_elsewhere_is_not_given_away() {
        if !is_root() {
            return;
        }
        let above = tempfile::tempdir().unwrap();
        let dir = above.path().join("d");
        store(&dir.join("redb/tree"), "of root");
        let elsewhere = ["folder/file", "file", "other"].map(|name| above.path().join(name));
        fs::create_dir(above.path().join("folder")).unwrap();
        for path in &elsewhere {
            fs::write(path, "of root").unwrap();
        }
        symlink(above.path().join("folder"), dir.join("redb/folder")).unwrap();
        symlink(&elsewhere[1], dir.join("redb/link")).unwrap();
        fs::hard_link(&elsewhere[2], dir.join("redb/name")).unwrap();
        chown(&dir, Some(65_533), Some(65_532)).unwrap();
        owner::give_to_owner(&dir, "redb").unwrap();
        assert_eq!(belongs_to(&dir.join("redb/tree/file")), (65_533, 65_532));
        for path in elsewhere.iter().chain([&above.path().join("folder")]) {
            assert_eq!(belongs_to(path), (0, 0), "{path:?}");
        }
        symlink(&elsewhere[1], dir.join("lock")).unwrap();
        assert!(Replacement::begin(&dir, "redb").is_err(), "the lock is a link");
    }

    #[test]
    fn a_folder_in_use_or_of_another_kind_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        store(&dir.path().join("redb"), "old");
        let folder = Folder::open(dir.path(), "redb", |_| Ok(())).unwrap();
        assert!(Replacement::begin(dir.path(), "redb").is_err());
        drop(folder);
        assert!(Replacement::begin(dir.path(), "sled").is_err());
        assert!(Replacement::begin(dir.path(), "inmem").is_err());
        let replacement = Replacement::begin(dir.path(), "redb").unwrap();
        assert!(Folder::open(dir.path(), "redb", |_| Ok(())).is_err());
        drop(replacement);
        assert_eq!(found(dir.path()), "old");
    }
}
