//! `DELETE /v1/sys/auth/{path}`: takes an auth method away; the tokens that it gave end.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Role, Route};
use crate::error::Result;
use crate::sys::mounts::{MountPath, disable::disable};
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DisableMethod {}

impl Endpoint for DisableMethod {
    type Target = Arc<Unsealed>;
    type Path = MountPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("auth/{path..}").sudo().summary("Disables an auth method and ends its tokens");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: MountPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        disable(unsealed, Role::Auth, &path.path).await
    }
}
