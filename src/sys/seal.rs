//! `PUT /v1/sys/seal`: forgets the keys.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Seal {}

impl Endpoint for Seal {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("seal").sudo().summary("Seal the vault");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        // Sealing comes after the answer is audited: the key of the audit log is among those that are forgotten.
        unsealed.core.ask_for_seal();
        Ok(Done)
    }
}
