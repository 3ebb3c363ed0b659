//! `GET /v1/sys/auth/{path}/tune`: the settings of an auth method as they take effect.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Role, Route};
use crate::error::Result;
use crate::sys::mounts::{
    MountPath,
    tune::read::{TuningInfo, tuning},
};
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadTuning {}

impl Endpoint for ReadTuning {
    type Target = Arc<Unsealed>;
    type Path = MountPath;
    type Reply = Data<TuningInfo>;
    const ROUTE: Route = Route::read("auth/{path..}/tune").sudo().summary("The settings of an auth method");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: MountPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        tuning(unsealed, Role::Auth, &path.path)
    }
}
