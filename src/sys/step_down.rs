//! `PUT /v1/sys/step-down`: gives up being the active node.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct StepDown {}

impl Endpoint for StepDown {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("step-down").sudo().summary("Give up being the active node");

    /// A node without others has no one to give way to: it stays active, and says that it is done, as Vault does.
    async fn handle(self, _: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        Ok(Done)
    }
}
