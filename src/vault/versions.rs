//! Which versions of the server have worked on this store.

use serde::{Deserialize, Serialize};

use crate::barrier::{Record, Txn};
use crate::error::{Kind, Result};
use crate::time::Timestamp;

use super::core::Core;

/// A version that has worked on this store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledVersion {
    /// The version.
    pub version: String,
    /// When it was unsealed for the first time.
    pub installed: Timestamp,
    /// The version before it.
    pub previous: Option<String>,
}

impl Record for InstalledVersion {}

impl Core {
    /// Every version that was unsealed here, the oldest first.
    pub async fn installed_versions(&self) -> Result<Vec<InstalledVersion>> {
        let records = self.view("version");
        let mut found = Vec::new();
        for name in records.scan("").await? {
            found.extend(records.get::<InstalledVersion>(&name).await?);
        }
        found.sort_by_key(|installed| installed.installed);
        Ok(found)
    }

    /// Notes that this version was unsealed here, if it was not before.
    pub(super) async fn note_version(&self) -> Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        let known = self.installed_versions().await?;
        if known.iter().any(|installed| installed.version == version) {
            return Ok(());
        }
        let previous = known.last().map(|installed| installed.version.clone());
        let installed = InstalledVersion { version: version.to_owned(), installed: self.parts.clock.now(), previous };
        let mut txn = Txn::new();
        self.view("version").insert(&mut txn, version, &installed)?;
        match self.commit(txn).await {
            // Another node noted it.
            Err(error) if error.kind() == Kind::Conflict => Ok(()),
            outcome => outcome,
        }
    }
}
