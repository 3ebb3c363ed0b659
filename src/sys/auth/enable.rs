//! `POST /v1/sys/auth/{path}`: enables an auth method.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Role, Route};
use crate::error::Result;
use crate::sys::mounts::{MountPath, enable::Mounting};
use crate::vault::Unsealed;

/// See [`Mounting`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct EnableMethod(Mounting);

impl Endpoint for EnableMethod {
    type Target = Arc<Unsealed>;
    type Path = MountPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("auth/{path..}").sudo().summary("Enables an auth method");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: MountPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        self.0.enable(unsealed, Role::Auth, path.path).await
    }
}
