//! `POST /v1/sys/loggers`: changes the level of the server's log.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::Change;

/// See [`Change`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct ChangeLoggers(Change);

impl Endpoint for ChangeLoggers {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("loggers").summary("Changes the level of the log");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        self.0.make(unsealed)?;
        Ok(Done)
    }
}
