//! `GET /v1/sys/mounts`: every mount of a secrets engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Role, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::MountInfo;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListMounts {}

impl Endpoint for ListMounts {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<BTreeMap<String, MountInfo>>;
    const ROUTE: Route = Route::read("mounts").summary("The mounts of secrets engines");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Data::new(listed(unsealed, Role::Secret)).repeated())
    }
}

/// Every mount of `role` by its path.
pub(in crate::sys) fn listed(unsealed: &Unsealed, role: Role) -> BTreeMap<String, MountInfo> {
    let points = unsealed.mounts.serving().into_iter().filter(|point| point.entry.role == role);
    points.map(|point| (point.entry.shown_path().to_owned(), MountInfo::of(&point))).collect()
}
