//! `/v1/auth/token/roles`: what `auth/token/create/{role_name}` may make.

mod delete;
mod list;
mod read;
mod record;
mod write;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::Routes;
use crate::vault::Unsealed;

#[cfg(test)]
pub(in crate::sys::token) use record::RoleTokenType;
pub(in crate::sys::token) use record::TokenRole;

/// The role that a path names.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct RolePath {
    /// Its name.
    pub(super) role_name: String,
}

/// Adds what is below `auth/token/roles`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<list::ListRoles>()
        .endpoint::<read::ReadRole>()
        .endpoint::<write::WriteRole>()
        .endpoint::<delete::DeleteRole>()
}
