//! `POST /v1/sys/storage/checkpoint`: a signed note of how far the store has come, to be kept elsewhere.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::{Checkpoint, Unsealed};

use super::super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct MakeCheckpoint {}

impl Endpoint for MakeCheckpoint {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Checkpoint>;
    const ROUTE: Route =
        Route::write("storage/checkpoint").sudo().summary("Make a signed note of how far the store has come");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<Checkpoint>> {
        Ok(Data::new(unsealed.core.checkpoint(cx.txn()).await?))
    }
}
