//! `DELETE /v1/sys/mounts/{path}`: takes a mount away, with its leases and all that it stored.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Role, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::MountPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DisableMount {}

impl Endpoint for DisableMount {
    type Target = Arc<Unsealed>;
    type Path = MountPath;
    type Reply = Done;
    const ROUTE: Route =
        Route::delete("mounts/{path..}").summary("Disables a secrets engine and removes all that it stored");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: MountPath, _: &mut Cx<'_>) -> Result<Done> {
        let path = path.path.trim_matches('/');
        // An auth method is disabled at `sys/auth`, which asks for more.
        if let Some(method) = path.strip_prefix("auth/")
            && unsealed.mount_at(Role::Auth, method).is_some()
        {
            return Err(Error::invalid(format!("cannot unmount {:?}", format!("{path}/"))));
        }
        disable(unsealed, Role::Secret, path).await
    }
}

/// Disables the mount at `path`; a mount that is not there is a success.
pub(in crate::sys) async fn disable(unsealed: &Arc<Unsealed>, role: Role, path: &str) -> Result<Done> {
    let path = path.trim_matches('/');
    if role == Role::Auth && path == "token" {
        return Err(Error::invalid("token credential backend cannot be disabled"));
    }
    unsealed.disable(role, path).await?;
    Ok(Done)
}
