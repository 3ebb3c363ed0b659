//! `POST /v1/sys/namespaces/api-lock/lock`, and the same with a path: holds off every request to a namespace and to those
//! within it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::secret::{self, SecretText};
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::Named;

/// Locks the namespace that the request is for.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct LockThis {}

/// Locks a namespace within it.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct LockNamespace {}

/// What ends the lock.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UnlockKey {
    /// Shown this once.
    #[serde(serialize_with = "secret::on_wire")]
    #[schemars(with = "String")]
    unlock_key: SecretText,
}

impl Endpoint for LockThis {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<UnlockKey>;
    const ROUTE: Route = Route::write("namespaces/api-lock/lock").summary("Lock the API of this namespace");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Data::new(UnlockKey { unlock_key: unsealed.lock_namespace("").await? }))
    }
}

impl Endpoint for LockNamespace {
    type Target = Arc<Unsealed>;
    type Path = Named;
    type Reply = Data<UnlockKey>;
    const ROUTE: Route = Route::write("namespaces/api-lock/lock/{path..}").summary("Lock the API of a namespace");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: Named, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Data::new(UnlockKey { unlock_key: unsealed.lock_namespace(&path.path).await? }))
    }
}
