//! The packages of a folder with a `package-lock.json`, in a copy of the folder below the target directory.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::folder;
use crate::program::Program;
use crate::say;
use crate::workspace;

/// What npm reads.
const DESCRIPTIONS: [&str; 2] = ["package.json", "package-lock.json"];

/// A copy of the folder `from` called `name`, with its packages installed; they are installed again when the lock file
/// has changed.
pub(crate) fn provide(name: &str, from: &Path) -> Result<PathBuf, Failure> {
    let home = workspace::target().join(format!("{name}-node"));
    let installed = home.join("installed.json");
    fs::create_dir_all(&home)
        .map_err(|error| Failure::new(format!("{}: {error}", home.display()), "Check the disk."))?;
    for entry in files(from)? {
        let file_name = entry.file_name().unwrap_or_default().to_owned();
        folder::write(&home.join(file_name), folder::read(&entry)?)?;
    }
    let [_, lock] = DESCRIPTIONS.map(|description| home.join(description));
    let wanted = folder::read(&lock)?;
    if fs::read(&installed).is_ok_and(|bytes| bytes == wanted) && home.join("node_modules").is_dir() {
        return Ok(home);
    }
    say::done(&format!("installing the packages of {name}, this once"));
    Program::new("npm")
        .words("ci --no-audit --no-fund --ignore-scripts")
        .folder(&home)
        .advise("npm needs to reach a package registry (npm config set registry …).")
        .show()?;
    folder::write(&installed, wanted)?;
    Ok(home)
}

/// The files of a folder, those in folders below it not counted.
fn files(from: &Path) -> Result<Vec<PathBuf>, Failure> {
    let refuse = |error: std::io::Error| Failure::new(format!("{}: {error}", from.display()), "Check the checkout.");
    let mut found = Vec::new();
    for entry in fs::read_dir(from).map_err(refuse)? {
        let path = entry.map_err(refuse)?.path();
        if path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}
