//! `DELETE /v1/auth/token/roles/{role_name}`: removes a role. Tokens that it made live on.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::RolePath;
use super::record::roles;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteRole {}

impl Endpoint for DeleteRole {
    type Target = Arc<Unsealed>;
    type Path = RolePath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("roles/{role_name}").summary("Remove a role");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        roles(unsealed).delete(cx.txn(), &path.role_name)?;
        Ok(Done)
    }
}
