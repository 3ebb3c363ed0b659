//! `DELETE /v1/sys/loggers/{name}`: goes back to the configured level of one log.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

use crate::vault::Unsealed;

use super::LoggerPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ResetLogger {}

impl Endpoint for ResetLogger {
    type Target = Arc<Unsealed>;
    type Path = LoggerPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("loggers/{name}").summary("Goes back to the configured level of one log");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: LoggerPath, _: &mut Cx<'_>) -> Result<Done> {
        path.known()?;
        unsealed.core.settings().log.reset();
        Ok(Done)
    }
}
