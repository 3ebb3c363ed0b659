//! `POST /v1/sys/rotate` and `rotate/keyring`: a new key for the storage. What is written from now on is encrypted with
//! it; what was written before can still be read.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::NoPath;

/// `rotate`, the older path. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Rotate {}

impl Endpoint for Rotate {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("rotate").sudo().summary("Make a new key for the storage");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        unsealed.core.rotate().await.map(|_| Done)
    }
}

/// `rotate/keyring`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RotateKeyring {}

impl Endpoint for RotateKeyring {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("rotate/keyring").sudo().summary("Make a new key for the storage");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        unsealed.core.rotate().await.map(|_| Done)
    }
}
