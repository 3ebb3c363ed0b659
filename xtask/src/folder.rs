//! Temporary folders.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A folder that is removed with all that is in it, unless it is kept.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    /// Makes a folder whose name begins with `name`. Others may enter it and see nothing that is not meant for them:
    /// PostgreSQL runs as a user of its own there.
    pub(crate) fn new(name: &str) -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        DirBuilder::new().mode(0o711).create(&path).map_err(|error| Failure::file(&path, &error))?;
        Ok(Self { path, keep: false })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder in it that only its owner may enter.
    pub(crate) fn private(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.path.join(name);
        private(&path)?;
        Ok(path)
    }

    /// Leaves it where it is at the end.
    pub(crate) fn keep(&mut self) {
        self.keep = true;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Makes a folder that only its owner may enter.
pub(crate) fn private(path: &Path) -> Result<(), Failure> {
    DirBuilder::new().mode(0o700).create(path).map_err(|error| Failure::file(path, &error))
}

/// Writes a file.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Failure> {
    fs::write(path, content).map_err(|error| Failure::file(path, &error))
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::file(path, &error))
}

/// Reads a file of text, however damaged.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// All files in a folder and its folders, with what they hold.
pub(crate) fn contents(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| Failure::file(folder, &error))? {
        let path = entry.map_err(|error| Failure::file(folder, &error))?.path();
        if path.is_dir() {
            found.extend(contents(&path)?);
        } else {
            let bytes = read(&path)?;
            found.push((path, bytes));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_what_is_in_it_and_stays_if_kept() {
        let mut folder = Folder::new("arca-xtask-folder-test").unwrap();
        let path = folder.path().to_owned();
        write(&folder.private("in").unwrap().join("file"), "text").unwrap();
        assert_eq!(contents(&path).unwrap(), [(path.join("in/file"), b"text".to_vec())]);
        folder.keep();
        drop(folder);
        assert!(path.is_dir());
        drop(Folder { path: path.clone(), keep: false });
        assert!(!path.exists());
    }
}
