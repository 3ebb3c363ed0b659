//! What a backup says of itself: in clear how the vault is sealed, behind its encryption where it comes from.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BackupError, Salt};
use crate::storage::{Generation, Lineage};
use crate::time::Timestamp;

/// The word that every backup begins with.
const FORMAT: &str = "arca-backup";
/// The version that is written.
const VERSION: u32 = 1;

/// `meta.json`: what has to be known before the records can be opened. In clear, as it is in the store.
#[derive(Clone, Debug)]
pub struct Meta {
    /// When the backup was made.
    pub created: Timestamp,
    /// The version of the server that made it.
    pub server: String,
    /// How the vault is sealed: the store's record of it, which has the wrapped root key.
    pub seal: Value,
    /// What the backup's key is derived from beside the root key.
    pub salt: Salt,
}

#[derive(Serialize, Deserialize)]
struct Written {
    format: String,
    version: u32,
    #[serde(default)]
    created: Option<Timestamp>,
    #[serde(default)]
    server: String,
    #[serde(default)]
    seal: Value,
    #[serde(default)]
    salt: String,
}

impl Meta {
    pub(super) fn to_json(&self) -> Result<Vec<u8>, BackupError> {
        let Self { created, server, seal, salt } = self;
        let written = Written {
            format: FORMAT.to_owned(),
            version: VERSION,
            created: Some(*created),
            server: server.clone(),
            seal: seal.clone(),
            salt: BASE64.encode(salt),
        };
        serde_json::to_vec(&written).map_err(|error| BackupError::Io(error.into()))
    }

    pub(super) fn from_json(json: &[u8]) -> Result<Self, BackupError> {
        let Written { format, version, created, server, seal, salt } =
            serde_json::from_slice(json).map_err(|_| BackupError::Foreign)?;
        if format != FORMAT {
            return Err(BackupError::Foreign);
        }
        if version != VERSION {
            return Err(BackupError::Version(version));
        }
        let damaged = || BackupError::Damaged("what it says of itself cannot be read".into());
        let salt = BASE64.decode(salt.as_bytes()).ok().and_then(|salt| salt.try_into().ok());
        Ok(Self { created: created.ok_or_else(damaged)?, server, seal, salt: salt.ok_or_else(damaged)? })
    }
}

/// Where a backup comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Which state of which store it has.
    pub generation: Generation,
}

#[derive(Serialize, Deserialize)]
struct WrittenOrigin {
    lineage: String,
    generation: u64,
}

impl Origin {
    pub(super) fn to_json(self) -> Result<Vec<u8>, BackupError> {
        let Generation { lineage, number } = self.generation;
        serde_json::to_vec(&WrittenOrigin { lineage: lineage.to_string(), generation: number })
            .map_err(|error| BackupError::Io(error.into()))
    }

    pub(super) fn from_json(json: &[u8]) -> Option<Self> {
        let WrittenOrigin { lineage, generation } = serde_json::from_slice(json).ok()?;
        Some(Self { generation: Generation { lineage: Lineage::parse(&lineage)?, number: generation } })
    }
}
