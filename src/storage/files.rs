//! The folder of a disk store: how it comes into being, who may read it, what is kept in reserve.
//!
//! A store of kind `k` under the folder `d` is `d/k/`, built as `d/k.new/`, synced, and renamed. So `d` may be a mount
//! point or belong to another user, and a store either exists completely or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

#[cfg(test)]
use super::power::exchange::{Step, step};
use super::{StorageError, owner, replace};

/// The kinds of store that have a folder of their own.
pub(super) const KINDS: [&str; 2] = ["redb", "sled"];
/// What is held back for the day when the disk is full, in bytes: room for the database to reopen and for revocations.
const RESERVE: usize = 1 << 20;
/// The room there must be before the reserve is taken again, in bytes: well above it, so that the disk is not filled
/// by the reserve itself.
const AMPLE: usize = 4 << 20;
/// The room there must be before a database is reopened on a disk that was full, in bytes.
const SCRATCH: usize = 64 << 10;

/// The folder of a store that exists, locked against other processes while this value lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// The folder of a store of `kind` under `dir`. Where there is none yet, `build` fills a temporary one first.
    pub(super) fn open(
        dir: &Path,
        kind: &str,
        build: impl FnOnce(&Path) -> Result<(), StorageError>,
    ) -> Result<Self, StorageError> {
        create_durably(dir)?;
        let lock = lock(dir)?;
        replace::finish(dir, kind)?;
        let path = dir.join(kind);
        if !exists(&path)? {
            refuse_other_kind(dir, kind)?;
            let new = dir.join(format!("{kind}.new"));
            if exists(&new)? {
                remove(&new)?;
            }
            DirBuilder::new().mode(0o700).create(&new).map_err(at(&new))?;
            build(&new)?;
            fill(&new.join("reserve"), RESERVE)?;
            settle(&new)?;
            rename(&new, &path)?;
            sync(dir)?;
        }
        admit(&path)?;
        Ok(Self { path, _lock: lock })
    }

    /// Where the store's files are.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the reserve back to the disk.
    pub(super) fn give_reserve_back(&self) {
        // Where this fails there is nothing else to give.
        let _ = fs::remove_file(self.reserve());
    }

    /// Whether the reserve is there.
    pub(super) fn has_reserve(&self) -> bool {
        self.reserve().exists()
    }

    /// Takes the reserve again if there is ample room; otherwise the disk stays as it is.
    pub(super) fn take_reserve(&self) {
        let scratch = self.path.join("reserve.new");
        let taken = fill(&scratch, AMPLE).and_then(|()| {
            let file = OpenOptions::new().write(true).open(&scratch).map_err(StorageError::from_io)?;
            file.set_len(RESERVE as u64).map_err(StorageError::from_io)?;
            fs::rename(&scratch, self.reserve()).map_err(StorageError::from_io)
        });
        if taken.is_err() {
            let _ = fs::remove_file(&scratch);
        }
    }

    /// Fails with [`StorageError::Full`] if the disk has no room for a database to reopen.
    pub(super) fn check_room(&self) -> Result<(), StorageError> {
        let scratch = self.path.join("room");
        let room = fill(&scratch, SCRATCH);
        let _ = fs::remove_file(&scratch);
        room
    }

    fn reserve(&self) -> PathBuf {
        self.path.join("reserve")
    }
}

/// Fails unless this process may read and write everything below `folder`, and names what it may not. A database would
/// only say that it may not.
fn admit(folder: &Path) -> Result<(), StorageError> {
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(at(folder))?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(at(folder))?);
        if kind.is_dir() {
            admit(&path)?;
        } else if kind.is_file()
            && let Err(error) = OpenOptions::new().read(true).write(true).open(&path)
            && error.kind() == ErrorKind::PermissionDenied
        {
            return Err(at(&path)(error));
        }
    }
    Ok(())
}

/// Makes every file below `folder` 0600 and every folder 0700, and syncs them all, the folders after their files.
pub(super) fn settle(folder: &Path) -> Result<(), StorageError> {
    keep_to_owner(&File::open(folder).map_err(at(folder))?, 0o700)?;
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(StorageError::from_io)?;
        let path = entry.path();
        if entry.file_type().map_err(StorageError::from_io)?.is_dir() {
            settle(&path)?;
        } else {
            settle_file(&path)?;
        }
    }
    sync(folder)
}

fn settle_file(path: &Path) -> Result<(), StorageError> {
    let file = match File::open(path) {
        Ok(file) => file,
        // A database may remove what it no longer needs at any time.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(path)(error)),
    };
    keep_to_owner(&file, 0o600)?;
    #[cfg(test)]
    step(Step::Sync(path))?;
    file.sync_all().map_err(StorageError::failed)
}

/// Gives a file or folder this mode, if it has another: a change, even to the same, is one that a sync must write.
fn keep_to_owner(file: &File, mode: u32) -> Result<(), StorageError> {
    let present = file.metadata().map_err(StorageError::from_io)?.permissions().mode();
    if present & 0o7777 == mode {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(mode)).map_err(StorageError::from_io)
}

/// Syncs one file or folder with all of its metadata.
pub(super) fn sync(path: &Path) -> Result<(), StorageError> {
    #[cfg(test)]
    step(Step::Sync(path))?;
    File::open(path).map_err(at(path))?.sync_all().map_err(StorageError::failed)
}

/// Renames a folder. It is so on disk once the one above it is synced.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), StorageError> {
    #[cfg(test)]
    step(Step::Rename(from, to))?;
    fs::rename(from, to).map_err(at(from))
}

/// Removes a folder with all that is in it.
pub(super) fn remove(folder: &Path) -> Result<(), StorageError> {
    #[cfg(test)]
    step(Step::Remove(folder))?;
    fs::remove_dir_all(folder).map_err(at(folder))
}

pub(super) fn exists(path: &Path) -> Result<bool, StorageError> {
    path.try_exists().map_err(at(path))
}

/// Creates a folder and those above it that are missing, each of them synced into its parent.
pub(super) fn create_durably(path: &Path) -> Result<(), StorageError> {
    if exists(path)? {
        return Ok(());
    }
    // The parent of a relative path of one part is the working folder, which is spelt as a dot here.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_durably(parent)?;
    DirBuilder::new().mode(0o700).create(path).map_err(at(path))?;
    sync(parent)
}

/// Locks `dir` for this process. Both databases lock their own files too; this lock covers the witness and creation.
pub(super) fn lock(dir: &Path) -> Result<File, StorageError> {
    let mut options = OpenOptions::new();
    // No link is followed: what root finds here may be given to the owner of the folder.
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    let path = dir.join("lock");
    let file = options.open(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::Refused(format!(
            "another process has the store in {} open; stop it first",
            dir.display()
        ))),
        Err(TryLockError::Error(error)) => Err(at(&path)(error)),
    }
}

/// A changed `storage` stanza must not look like an empty vault.
pub(super) fn refuse_other_kind(dir: &Path, kind: &str) -> Result<(), StorageError> {
    for other in KINDS.into_iter().filter(|other| *other != kind) {
        if exists(&dir.join(other))? || exists(&replace::restored(dir, other))? {
            return Err(StorageError::Refused(format!(
                "the folder {} holds a store of kind {other}, not {kind}; configure that kind or another folder",
                dir.display()
            )));
        }
    }
    Ok(())
}

/// A file of `length` bytes that take room on the disk, synced.
fn fill(path: &Path, length: usize) -> Result<(), StorageError> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| {
        // Not zeros: some file systems do not store those.
        let block: Vec<u8> = (0..=u8::MAX).cycle().take(SCRATCH).collect();
        for _ in 0..length / SCRATCH {
            file.write_all(&block)?;
        }
        file.sync_all()
    });
    written.map_err(StorageError::from_io)
}

/// What an error of the operating system about the file or folder `path` means for a store.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> StorageError {
    move |error| {
        let kind = error.kind();
        if kind == ErrorKind::PermissionDenied {
            return StorageError::Refused(owner::denied(path, &error));
        }
        let text = format!("{}: {error}", path.display());
        if matches!(kind, ErrorKind::NotADirectory | ErrorKind::ReadOnlyFilesystem) {
            return StorageError::Refused(format!("{text}; check the path of the store"));
        }
        StorageError::from_io(io::Error::new(kind, text))
    }
}

impl StorageError {
    /// What an error of the operating system means for a store.
    pub(super) fn from_io(error: io::Error) -> Self {
        if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            Self::Full
        } else {
            Self::failed(error)
        }
    }

    /// A failure that says nothing about whether trying again would help.
    pub(super) fn failed(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(source.into())
    }

    /// The same error for another caller.
    pub(super) fn repeated(&self) -> Self {
        match self {
            Self::BadKey => Self::BadKey,
            Self::Conflict => Self::Conflict,
            Self::Damaged(why) => Self::Damaged(why.clone()),
            Self::Full => Self::Full,
            Self::Overtaken => Self::Overtaken,
            Self::ReadOnly => Self::ReadOnly,
            Self::Refused(why) => Self::Refused(why.clone()),
            Self::Failed(source) => Self::failed(source.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_folders_are_created_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/c");
        create_durably(&path).unwrap();
        create_durably(&path).unwrap();
        for folder in ["a", "a/b", "a/b/c"] {
            assert_eq!(fs::metadata(dir.path().join(folder)).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_failed_build_leaves_no_store() {
        let dir = tempfile::tempdir().unwrap();
        let failed = Folder::open(dir.path(), "redb", |_| Err(StorageError::Full));
        assert!(matches!(failed, Err(StorageError::Full)));
        assert!(!dir.path().join("redb").exists());
        let folder = Folder::open(dir.path(), "redb", |folder| {
            fs::write(folder.join("file"), b"").map_err(StorageError::from_io)
        });
        assert!(folder.unwrap().path().join("file").exists());
    }

    #[test]
    fn only_want_of_room_is_a_full_disk() {
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            assert!(matches!(StorageError::from_io(kind.into()), StorageError::Full));
        }
        for kind in [ErrorKind::NotFound, ErrorKind::PermissionDenied, ErrorKind::Other] {
            assert!(matches!(StorageError::from_io(kind.into()), StorageError::Failed(_)));
        }
        // What a failed sync is turned into, whatever its cause.
        let sync = io::Error::other(io::Error::from(ErrorKind::StorageFull));
        assert!(matches!(StorageError::from_io(sync), StorageError::Failed(_)));
    }
}
