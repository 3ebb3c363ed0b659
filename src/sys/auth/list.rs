//! `GET /v1/sys/auth`: every auth method.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Role, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::sys::mounts::{MountInfo, list};
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListMethods {}

impl Endpoint for ListMethods {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<BTreeMap<String, MountInfo>>;
    const ROUTE: Route = Route::read("auth").summary("The auth methods");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Data::new(list::listed(unsealed, Role::Auth)).repeated())
    }
}
