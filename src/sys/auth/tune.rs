//! `POST /v1/sys/auth/{path}/tune`: changes the settings of an auth method.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Role, Route};
use crate::error::Result;
use crate::sys::mounts::{MountPath, tune::write::Tuning};
use crate::vault::Unsealed;

/// See [`Tuning`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Tune(Tuning);

impl Endpoint for Tune {
    type Target = Arc<Unsealed>;
    type Path = MountPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("auth/{path..}/tune").sudo().summary("Changes the settings of an auth method");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: MountPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        self.0.tune(unsealed, Role::Auth, &path.path, cx).await
    }
}
