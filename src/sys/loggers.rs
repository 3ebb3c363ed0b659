//! `GET /v1/sys/loggers`: the levels of the server's log. There is one log with one level, which the configuration sets.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadLoggers {}

/// What the log is called.
pub(super) const NAME: &str = "arca";

impl Endpoint for ReadLoggers {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<BTreeMap<&'static str, String>>;
    const ROUTE: Route = Route::read("loggers").summary("The levels of the server's log");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Data::new(BTreeMap::from([(NAME, unsealed.core.settings().log_level.clone())])))
    }
}
