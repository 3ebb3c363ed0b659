//! `GET /v1/sys/mounts/{path}`: one mount.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Role, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::{MountInfo, MountPath, found};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadMount {}

impl Endpoint for ReadMount {
    type Target = Arc<Unsealed>;
    type Path = MountPath;
    type Reply = Data<MountInfo>;
    const ROUTE: Route = Route::read("mounts/{path..}").summary("A mount of a secrets engine");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: MountPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Data::new(MountInfo::of(&*found(unsealed, Role::Secret, &path.path)?)).repeated())
    }
}
