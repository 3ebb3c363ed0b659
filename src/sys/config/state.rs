//! `GET /v1/sys/config/state/sanitized`: the configuration, without its secrets.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadState {}

impl Endpoint for ReadState {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Map<String, Value>>;
    const ROUTE: Route = Route::read("config/state/sanitized").summary("The configuration, without its secrets");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Data::new(unsealed.core.settings().sanitized.clone()))
    }
}
