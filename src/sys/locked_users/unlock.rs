//! `POST /v1/sys/locked-users/{mount_accessor}/unlock/{alias_identifier}`: lets a user try again at once.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct UnlockUser {}

/// Whom to unlock.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct UserPath {
    mount_accessor: String,
    alias_identifier: String,
}

impl Endpoint for UnlockUser {
    type Target = Arc<Unsealed>;
    type Path = UserPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("locked-users/{mount_accessor}/unlock/{alias_identifier:lower}")
        .summary("Lets a locked-out user try again at once");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: UserPath, _: &mut Cx<'_>) -> Result<Done> {
        unsealed.unlock_user(&path.mount_accessor, &path.alias_identifier)?;
        Ok(Done)
    }
}
