//! What is done to a store while no server has it open: looking at all of it, and restoring a backup.

mod check;
mod progress;
mod restore;
mod shares;

pub use check::CheckOptions;
pub use restore::RestoreOptions;

pub(super) use check::check;
pub(super) use restore::restore;

use std::path::PathBuf;

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
