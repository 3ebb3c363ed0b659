//! What is done to a store while no server has it open: looking at all of it, and restoring a backup.

mod check;
mod progress;
mod restore;
mod shares;

pub use check::CheckOptions;
pub use restore::RestoreOptions;

pub(super) use check::check;
pub(super) use restore::restore;

use std::path::{Path, PathBuf};

use crate::config::{Config, Storage};

use super::Failure;

/// The kind of the store of these configuration files, and its folder.
fn store_of(files: &[PathBuf]) -> Result<(&'static str, PathBuf), Failure> {
    let (config, _) = Config::load(files)?;
    match &config.storage {
        Storage::Memory => Err("the store is in memory: there is nothing on disk".into()),
        Storage::Redb(path) | Storage::Sled(path) => Ok((config.storage.kind(), path.clone())),
    }
}

/// What to say of the store in `folder`, which does not open for the reason `why`.
pub(super) fn damaged(folder: &Path, why: &str) -> String {
    format!("the store in {} is damaged: {why}", folder.display())
}

/// What to do about a damaged store of these configuration files.
pub(super) fn advice(config: &[PathBuf]) -> String {
    let config: Vec<_> = config.iter().map(|file| format!("-config={}", file.display())).collect();
    let config = config.join(" ");
    format!("Nothing was changed. Keep its files, and restore a backup: arca operator restore {config} -force FILE")
}
