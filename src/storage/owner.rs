//! To whom the files of a store belong.
//!
//! A restore is often root's work, and so is a look at a store. The server runs as another user, who could not open what
//! root made. So that is given to the owner of the store's folder.
//!
//! This owner can put links into the folder meanwhile. So each file is opened below its opened folder, no link is
//! followed, and no file is given away that has another name too.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use rustix::fs::{CWD, Dir, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::path::Arg;
use rustix::process::geteuid;

use super::StorageError;
use super::files::{at, create_durably, exists};

/// Who must be able to open what root makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    /// The owner of the folder `dir` of a store of `kind`, or where that is root, of the store in it. Nothing if all is
    /// root's, and nothing for anybody else than root, who makes everything as the user who he is.
    pub(super) fn of(dir: &Path, kind: &str) -> Result<Option<Self>, StorageError> {
        for path in [dir.to_owned(), dir.join(kind)] {
            if geteuid().is_root() && exists(&path)? {
                let metadata = fs::metadata(&path).map_err(at(&path))?;
                if metadata.uid() != 0 {
                    return Ok(Some(Self { uid: metadata.uid(), gid: metadata.gid() }));
                }
            }
        }
        Ok(None)
    }

    /// Gives what is root's of `path`, and of all below it, to this owner. A link is left as it is.
    pub(super) fn give(self, path: &Path) -> Result<(), StorageError> {
        match opened(CWD, path) {
            Ok(file) => self.give_all(&file, path),
            Err(error) if is_link(&error) => Ok(()),
            Err(error) => Err(at(path)(error)),
        }
    }

    fn give_all(self, file: &File, path: &Path) -> Result<(), StorageError> {
        let metadata = file.metadata().map_err(at(path))?;
        if metadata.is_dir() {
            // What is in it first: until then nobody else can put anything there.
            for entry in Dir::read_from(file).map_err(|error| at(path)(error.into()))? {
                let entry = entry.map_err(|error| at(path)(error.into()))?;
                let name = entry.file_name();
                if [c".", c".."].contains(&name) {
                    continue;
                }
                let path = path.join(name.to_string_lossy().as_ref());
                match opened(file, name) {
                    Ok(file) => self.give_all(&file, &path)?,
                    Err(error) if is_link(&error) || error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(at(&path)(error)),
                }
            }
        }
        if metadata.uid() == 0 && has_one_name(&metadata) {
            fchown(file, Some(self.uid), Some(self.gid)).map_err(|error| {
                let (path, uid) = (path.display(), self.uid);
                StorageError::Refused(format!("{path} cannot be given to user {uid}: {error}; run this as that user"))
            })?;
        }
        Ok(())
    }
}

/// Gives what root made of a store of `kind` in the folder `dir` while it was open to the owner of that folder. Others
/// than root have nothing to give. To be called with the store closed.
pub fn give_to_owner(dir: &Path, kind: &str) -> Result<(), StorageError> {
    let Some(owner) = Owner::of(dir, kind)? else { return Ok(()) };
    for name in ["lock", kind] {
        let path = dir.join(name);
        if exists(&path)? {
            owner.give(&path)?;
        }
    }
    Ok(())
}

/// Creates the folder `dir` of a store of `kind` and those above it that are missing, for the owner of the one in which
/// they are.
pub(super) fn create(dir: &Path, kind: &str) -> Result<(), StorageError> {
    let mut missing = Vec::new();
    for path in dir.ancestors().filter(|path| !path.as_os_str().is_empty()) {
        if exists(path)? {
            break;
        }
        missing.push(path);
    }
    create_durably(dir)?;
    let above = missing.last().and_then(|highest| highest.parent());
    let above = above.map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path });
    if let (Some(above), Some(highest)) = (above, missing.last())
        && let Some(owner) = Owner::of(above, kind)?
    {
        owner.give(highest)?;
    }
    Ok(())
}

/// What to say of a file or folder of a store that this process may not open or make.
pub(super) fn denied(path: &Path, error: &io::Error) -> String {
    let me = geteuid().as_raw();
    let found = |path: &Path| path.ancestors().find_map(|path| Some((path.to_owned(), fs::metadata(path).ok()?.uid())));
    let above = path.parent().unwrap_or(path);
    let (what, folder) = (path.display(), above.display());
    let whose = found(path).map_or_else(String::new, |(seen, owner)| {
        let seen = if seen == path { "it".to_owned() } else { seen.display().to_string() };
        format!("; {seen} belongs to user {owner}, and this is user {me}")
    });
    let advice = found(above).map_or_else(String::new, |(_, owner)| {
        if owner != me && owner != 0 {
            return format!("; run it as user {owner}, to whom the folder belongs");
        }
        let user = if owner == me { me.to_string() } else { "USER".to_owned() };
        format!("; all of the store must belong to the user that arcad runs as: chown -R {user} {folder}")
    });
    format!("{what} cannot be opened: {error}{whose}{advice}")
}

fn opened(below: impl AsFd, name: impl Arg) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(openat(below, name, flags, Mode::empty())?))
}

fn is_link(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::LOOP)
}

fn has_one_name(metadata: &Metadata) -> bool {
    metadata.is_dir() || metadata.nlink() == 1
}
