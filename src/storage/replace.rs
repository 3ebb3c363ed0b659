//! Putting a store in the place of another, so that there is always the old one or the new one.
//!
//! The new store of kind `k` under the folder `d` is built below `d/k.restoring/`. Once it is complete and synced it is
//! renamed to `d/k.restored`: from then on it is the one that counts, and whoever opens the folder next finishes what is
//! left to do. The old store becomes `d/k.replaced`, and stays there until it is removed by hand or by the next replacement.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::StorageError;
use super::files::{self, create_durably, exists, lock, refuse_other_kind, remove, rename, settle, sync};

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
    /// Fails with [`StorageError::Failed`] if another process has its store open, or if it holds a store of another kind.
    pub fn begin(dir: &Path, kind: &str) -> Result<Self, StorageError> {
        let kind = files::KINDS.into_iter().find(|known| *known == kind);
        let kind = kind.ok_or_else(|| StorageError::failed("only a store on disk can be replaced"))?;
        create_durably(dir)?;
        let lock = lock(dir)?;
        refuse_other_kind(dir, kind)?;
        finish(dir, kind)?;
        let replacement = Self { dir: dir.to_owned(), kind, _lock: lock };
        replacement.clear()?;
        DirBuilder::new().mode(0o700).create(replacement.staging()).map_err(StorageError::from_io)?;
        Ok(replacement)
    }

    /// The folder in which the new store is to be built, with [`super::open`]. Close it before it is put in place.
    pub fn staging(&self) -> PathBuf {
        staging(&self.dir, self.kind)
    }

    /// Puts the new store in the place of the old one, and tells where that is now, if there was one.
    pub fn put_in_place(self) -> Result<Option<PathBuf>, StorageError> {
        let replaced = has_store(&self.dir, self.kind)?.then(|| replaced(&self.dir, self.kind));
        let built = self.staging().join(self.kind);
        settle(&built)?;
        rename(&built, &restored(&self.dir, self.kind))?;
        sync(&self.dir)?;
        finish(&self.dir, self.kind)?;
        self.clear()?;
        Ok(replaced)
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

/// Finishes a replacement that was decided. To be called with `dir` locked.
pub(super) fn finish(dir: &Path, kind: &str) -> Result<(), StorageError> {
    let (new, current, old) = (restored(dir, kind), dir.join(kind), replaced(dir, kind));
    if !exists(&new)? {
        return Ok(());
    }
    if exists(&current)? {
        // One of an earlier replacement: that of this one has not been moved there yet.
        if exists(&old)? {
            remove(&old)?;
        }
        rename(&current, &old)?;
        sync(dir)?;
    }
    rename(&new, &current)?;
    sync(dir)
}

fn staging(dir: &Path, kind: &str) -> PathBuf {
    dir.join(format!("{kind}.restoring"))
}

/// Where a complete new store waits to be put in place.
pub(super) fn restored(dir: &Path, kind: &str) -> PathBuf {
    dir.join(format!("{kind}.restored"))
}

fn replaced(dir: &Path, kind: &str) -> PathBuf {
    dir.join(format!("{kind}.replaced"))
}

#[cfg(test)]
mod tests {
    use std::fs;

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

    fn replace(dir: &Path, text: &str) -> Option<PathBuf> {
        let replacement = Replacement::begin(dir, "redb").unwrap();
        store(&replacement.staging().join("redb"), text);
        replacement.put_in_place().unwrap()
    }

    #[test]
    fn the_new_store_takes_the_place_of_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(replace(dir.path(), "first"), None);
        assert_eq!(found(dir.path()), "first");
        for (text, before) in [("second", "first"), ("third", "second")] {
            let old = replace(dir.path(), text).unwrap();
            assert_eq!(found(dir.path()), text);
            assert_eq!(fs::read_to_string(old.join("file")).unwrap(), before);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "the lock and the two stores");
    }

    #[test]
    fn wherever_it_is_interrupted_there_is_the_old_store_or_the_new_one() {
        // What is in the folder after each step, and which store counts then.
        let steps: [(&[(&str, &str)], &str); 5] = [
            (&[("redb", "old")], "old"),
            (&[("redb", "old"), ("redb.restoring/redb", "part of the new")], "old"),
            (&[("redb", "old"), ("redb.restored", "new")], "new"),
            (&[("redb", "old"), ("redb.replaced", "older"), ("redb.restored", "new")], "new"),
            (&[("redb.replaced", "old"), ("redb.restored", "new")], "new"),
        ];
        for (folders, expected) in steps {
            let dir = tempfile::tempdir().unwrap();
            for (name, text) in folders {
                store(&dir.path().join(name), text);
            }
            assert_eq!(found(dir.path()), expected, "{folders:?}");
            assert!(!dir.path().join("redb.restored").exists());
            if expected == "new" {
                assert_eq!(fs::read_to_string(dir.path().join("redb.replaced/file")).unwrap(), "old");
            }
        }
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
