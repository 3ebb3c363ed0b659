//! `POST /v1/sys/loggers/{name}`: changes the level of one log.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

use crate::vault::Unsealed;

use super::{Change, LoggerPath};

/// See [`Change`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct ChangeLogger(Change);

impl Endpoint for ChangeLogger {
    type Target = Arc<Unsealed>;
    type Path = LoggerPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("loggers/{name}").summary("Changes the level of one log");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: LoggerPath, _: &mut Cx<'_>) -> Result<Done> {
        path.known()?;
        self.0.make(unsealed)?;
        Ok(Done)
    }
}
