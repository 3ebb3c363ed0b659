//! The paths that both versions share.

use schemars::JsonSchema;
use serde::Deserialize;

/// Where a secret is.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct SecretPath {
    /// Its path below the mount.
    pub(super) path: String,
}

/// Which folder is meant.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct FolderPath {
    /// Its path below the mount; empty for the mount itself.
    pub(super) path: String,
}

impl FolderPath {
    /// The beginning of the keys in it.
    pub(super) fn prefix(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!("{}/", self.path) }
    }
}

/// No parameters.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct NoPath {}
