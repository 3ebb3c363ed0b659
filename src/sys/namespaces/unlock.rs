//! `POST /v1/sys/namespaces/api-lock/unlock`, and the same with a path: ends the lock of a namespace. Whoever has `sudo` on
//! the path needs no key.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::SecretText;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::Named;

/// Unlocks the namespace that the request is for.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct UnlockThis {
    /// The key that the lock was given with.
    unlock_key: Option<SecretText>,
}

/// Unlocks a namespace within it.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct UnlockNamespace {
    /// The key that the lock was given with.
    unlock_key: Option<SecretText>,
}

impl Endpoint for UnlockThis {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("namespaces/api-lock/unlock").summary("Unlock the API of this namespace");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        unlock(unsealed, "", self.unlock_key, cx).await
    }
}

impl Endpoint for UnlockNamespace {
    type Target = Arc<Unsealed>;
    type Path = Named;
    type Reply = Done;
    const ROUTE: Route = Route::write("namespaces/api-lock/unlock/{path..}").summary("Unlock the API of a namespace");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: Named, cx: &mut Cx<'_>) -> Result<Done> {
        unlock(unsealed, &path.path, self.unlock_key, cx).await
    }
}

async fn unlock(unsealed: &Arc<Unsealed>, path: &str, key: Option<SecretText>, cx: &mut Cx<'_>) -> Result<Done> {
    let key = key.filter(|key| !key.is_empty());
    if key.is_none() {
        let caller = cx.caller.ok_or_else(Error::bad_token)?;
        let asked = format!("sys/namespaces/api-lock/unlock/{path}");
        let acl = unsealed.acl(caller, cx.now()).await?;
        let capabilities = acl.capabilities(asked.trim_end_matches('/'));
        if !capabilities.iter().any(|capability| matches!(*capability, "root" | "sudo")) {
            return Err(Error::invalid("provided empty key: send 'unlock_key', or ask with sudo"));
        }
    }
    unsealed.unlock_namespace(path, key.as_ref()).await?;
    if key.is_none() {
        cx.warn("Namespace unlocked using sudo capabilities");
    }
    Ok(Done)
}
