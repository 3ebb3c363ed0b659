//! `GET /v1/sys/locked-users`: who is locked out after wrong passwords.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::{LockedUsers, Unsealed};

/// Which mounts are asked about.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ListLockedUsers {
    /// The accessor of one auth method; all of them where there is none.
    mount_accessor: Option<String>,
}

/// Who is locked out.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Locked {
    /// By namespace.
    by_namespace: Vec<InNamespace>,
    /// How many users there are.
    total: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct InNamespace {
    counts: usize,
    mount_accessors: Vec<AtMount>,
    namespace_id: String,
    namespace_path: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AtMount {
    alias_identifiers: Vec<String>,
    counts: usize,
    mount_accessor: String,
}

impl Endpoint for ListLockedUsers {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Locked>;
    const ROUTE: Route = Route::read("locked-users").summary("Who is locked out after wrong passwords");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<Locked>> {
        let mounts: Vec<AtMount> = unsealed
            .locked_users(self.mount_accessor.as_deref().filter(|accessor| !accessor.is_empty()))
            .into_iter()
            .map(|LockedUsers { accessor, users }| AtMount {
                counts: users.len(),
                alias_identifiers: users,
                mount_accessor: accessor,
            })
            .collect();
        let total = mounts.iter().map(|mount| mount.counts).sum();
        let root = InNamespace {
            counts: total,
            mount_accessors: mounts,
            namespace_id: unsealed.namespace.id.clone(),
            namespace_path: unsealed.namespace.path.clone(),
        };
        let by_namespace = if total == 0 { Vec::new() } else { vec![root] };
        Ok(Data::new(Locked { by_namespace, total }))
    }
}
