//! `GET /v1/sys/auth/{path}`: one auth method.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Role, Route};
use crate::error::Result;
use crate::sys::mounts::{MountInfo, MountPath, found};
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadMethod {}

impl Endpoint for ReadMethod {
    type Target = Arc<Unsealed>;
    type Path = MountPath;
    type Reply = Data<MountInfo>;
    const ROUTE: Route = Route::read("auth/{path..}").sudo().summary("An auth method");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: MountPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Data::new(MountInfo::of(&*found(unsealed, Role::Auth, &path.path)?)).repeated())
    }
}
