//! Files that the operator named. Where one cannot be read or written, it is said which one it is, and what to do.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::vault::Checkpoint;

use super::Failure;

/// The content of the file `path`, which `what` names for the operator: a key of the configuration, or the like.
pub(super) fn read(what: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| unreadable(what, path, &error))
}

/// The file `path`, to be read.
pub(super) fn open(what: &str, path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| unreadable(what, path, &error))
}

/// The checkpoint in the file `path`.
pub(super) fn checkpoint(what: &str, path: &Path) -> Result<Checkpoint, Failure> {
    let read = Checkpoint::parse(&read(what, path)?);
    read.map_err(|error| format!("{what}: {}: {error}", path.display()).into())
}

/// The file `path`, to be written at its end. It and the folders that are missing are made for this user alone.
pub(super) fn append(what: &str, path: &Path) -> Result<File, Failure> {
    let made = path.parent().map_or(Ok(()), |folder| DirBuilder::new().recursive(true).mode(0o700).create(folder));
    made.and_then(|()| OpenOptions::new().create(true).append(true).mode(0o600).open(path))
        .map_err(|error| unwritable(what, path, &error))
}

/// What to say of a file that cannot be written.
pub(super) fn unwritable(what: &str, path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    format!("{what}: {path} cannot be written: {error}; check its folder, and who may write there").into()
}

fn unreadable(what: &str, path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    format!("{what}: {path} cannot be read: {error}; check that it exists, and who may read it").into()
}
