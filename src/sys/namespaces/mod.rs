//! `/v1/sys/namespaces`: vaults within the vault.

mod delete;
mod list;
mod lock;
mod patch;
mod read;
mod scan;
mod unlock;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::ROOT_NAMESPACE;
use crate::engine::Routes;
use crate::error::{Error, Result};
use crate::vault::{Namespace, Unsealed};

/// Adds the endpoints.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<lock::LockThis>()
        .endpoint::<lock::LockNamespace>()
        .endpoint::<unlock::UnlockThis>()
        .endpoint::<unlock::UnlockNamespace>()
        .endpoint::<list::ListNamespaces>()
        .endpoint::<scan::ScanNamespaces>()
        .endpoint::<read::ReadNamespace>()
        .endpoint::<write::WriteNamespace>()
        .endpoint::<patch::PatchNamespace>()
        .endpoint::<delete::DeleteNamespace>()
}

/// A namespace of the one that the request is for.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Named {
    /// Its name: one segment.
    pub(super) path: String,
}

/// A namespace as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NamespaceInfo {
    /// What operators wrote beside it.
    custom_metadata: BTreeMap<String, String>,
    /// Ends the names of its tokens, accessors and leases.
    id: String,
    /// Whether requests to it are held off.
    locked: bool,
    /// Where it is from the root, with a slash at its end.
    path: String,
    /// Whether it is being removed.
    tainted: bool,
    /// Names it for good.
    uuid: String,
}

impl From<Namespace> for NamespaceInfo {
    fn from(namespace: Namespace) -> Self {
        let Namespace { id, uuid, path, custom_metadata, removing, lock } = namespace;
        Self { custom_metadata, id, locked: lock.is_some(), path, tainted: removing, uuid }
    }
}

/// Namespaces by their path from here.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NamespaceList {
    key_info: BTreeMap<String, NamespaceInfo>,
    keys: Vec<String>,
}

/// The namespaces in this one: its own, or those at any depth.
async fn listed(unsealed: &Unsealed, deeply: bool) -> Result<NamespaceList> {
    let mut key_info = BTreeMap::new();
    for inner in unsealed.core.namespaces.within(&unsealed.namespace.path) {
        let path = inner.namespace.path.strip_prefix(&unsealed.namespace.path).unwrap_or_default();
        if deeply || path.trim_end_matches('/').split('/').count() == 1 {
            let record = unsealed.core.namespaces.record(&inner.namespace.id).await?;
            key_info.extend(record.map(|record| (path.to_owned(), record.into())));
        }
    }
    if key_info.is_empty() {
        return Err(Error::absent());
    }
    Ok(NamespaceList { keys: key_info.keys().cloned().collect(), key_info })
}

/// The namespace `name` of this one.
fn named(unsealed: &Unsealed, name: &str) -> Result<Option<Arc<Unsealed>>> {
    let name = name.trim_end_matches('/');
    if name.contains('/') {
        return Err(Error::invalid("namespace name cannot contain /"));
    }
    if name == ROOT_NAMESPACE {
        return Err(Error::invalid("\"root/\" is a reserved path and cannot be used as a namespace name"));
    }
    Ok(unsealed.core.namespaces.at(&format!("{}{name}/", unsealed.namespace.path)))
}
