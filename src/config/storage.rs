//! `storage "…"`: where the encrypted data is kept.

use std::path::PathBuf;

use super::error::{ConfigError, Warning};
use super::section::Initial::Wanted;
use super::section::section;
use super::source::Stanza;

/// Where the encrypted data is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In memory: gone when the server stops.
    Memory,
    /// In a redb database in this directory.
    Redb(PathBuf),
    /// In a sled database in this directory.
    Sled(PathBuf),
}

section! {
    /// A store in a directory, as the file has it.
    RawStorage {
        /// The directory of the database. It is made if it is not there.
        path: Option<PathBuf> = Wanted("\"/var/lib/arca\""),
    }
    blocks &[];
    ignored &[];
}

impl Storage {
    pub(super) fn read(stanza: &Stanza<'_>, warnings: &mut Vec<Warning>) -> Result<Self, ConfigError> {
        let directory = |warnings: &mut Vec<Warning>| {
            let path = RawStorage::read(&stanza.entries(), warnings)?.path;
            path.ok_or_else(|| stanza.error("set path to the directory of the database"))
        };
        match stanza.label(0) {
            "inmem" if stanza.body.items().is_empty() => Ok(Self::Memory),
            "inmem" => Err(stanza.error("storage \"inmem\" has no keys; remove them")),
            "redb" => directory(warnings).map(Self::Redb),
            "sled" => directory(warnings).map(Self::Sled),
            _ => Err(stanza.error("this kind of storage is not supported; use \"redb\", \"sled\" or \"inmem\"")),
        }
    }

    /// The kind of store, as `seal-status` names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Memory => "inmem",
            Self::Redb(_) => "redb",
            Self::Sled(_) => "sled",
        }
    }
}
