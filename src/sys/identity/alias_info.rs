//! An alias as it is shown, by itself and with what it belongs to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::identity::Alias;
use crate::mount::MountPoint;
use crate::time::Timestamp;
use crate::vault::Unsealed;

/// An alias as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AliasInfo {
    id: String,
    #[serde(flatten)]
    summary: AliasSummary,
    creation_time: Timestamp,
    last_update_time: Timestamp,
    merged_from_canonical_ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace_id: Option<String>,
}

/// An alias as a list shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AliasSummary {
    name: String,
    /// The entity or the group that it is of.
    canonical_id: String,
    mount_accessor: String,
    /// Left out once the mount is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    mount_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mount_type: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    custom_metadata: Option<BTreeMap<String, String>>,
    local: bool,
}

/// An alias as the list of entities shows it.
#[derive(Debug, Serialize)]
pub(super) struct AliasLine {
    id: String,
    name: String,
    mount_accessor: String,
    /// Left out once the mount is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    mount_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mount_type: Option<String>,
}

/// The mounts by accessor, looked up once for a whole answer.
pub(super) struct Mounts(HashMap<String, Arc<MountPoint>>);

impl Mounts {
    /// The mounts that serve.
    pub(super) fn of(unsealed: &Unsealed) -> Self {
        Self(unsealed.mounts.serving().into_iter().map(|point| (point.entry.accessor.clone(), point)).collect())
    }

    fn path(&self, alias: &Alias) -> Option<String> {
        self.0.get(&alias.mount_accessor).map(|point| point.entry.path.clone())
    }

    fn kind(&self, alias: &Alias) -> Option<String> {
        self.0.get(&alias.mount_accessor).map(|point| point.entry.kind.clone())
    }
}

impl AliasInfo {
    /// An alias of the entity or the group `owner`.
    pub(super) fn of(alias: &Alias, owner: &str, mounts: &Mounts) -> Self {
        Self {
            id: alias.id.clone(),
            summary: AliasSummary::of(alias, owner, mounts),
            creation_time: alias.created,
            last_update_time: alias.updated,
            merged_from_canonical_ids: Some(alias.merged_from.clone()).filter(|ids| !ids.is_empty()),
            namespace_id: None,
        }
    }

    /// The same with the namespace, where it is shown by itself.
    pub(super) fn in_namespace(self, id: &str) -> Self {
        Self { namespace_id: Some(id.to_owned()), ..self }
    }
}

impl AliasSummary {
    /// An alias of the entity or the group `owner`.
    pub(super) fn of(alias: &Alias, owner: &str, mounts: &Mounts) -> Self {
        Self {
            name: alias.name.clone(),
            canonical_id: owner.to_owned(),
            mount_accessor: alias.mount_accessor.clone(),
            mount_path: mounts.path(alias),
            mount_type: mounts.kind(alias),
            metadata: some(&alias.metadata),
            custom_metadata: alias.custom_metadata.clone(),
            local: alias.local,
        }
    }
}

impl AliasLine {
    /// An alias of an entity.
    pub(super) fn of(alias: &Alias, mounts: &Mounts) -> Self {
        Self {
            id: alias.id.clone(),
            name: alias.name.clone(),
            mount_accessor: alias.mount_accessor.clone(),
            mount_path: mounts.path(alias),
            mount_type: mounts.kind(alias),
        }
    }
}

/// Metadata as it is shown: null where there is none.
pub(super) fn some(metadata: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    Some(metadata.clone()).filter(|metadata| !metadata.is_empty())
}
