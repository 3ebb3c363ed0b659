//! `GET /v1/sys/loggers/{name}`: the level of one log; nothing for a name that no log has.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::{LoggerPath, NAME};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadLogger {}

impl Endpoint for ReadLogger {
    type Target = Arc<Unsealed>;
    type Path = LoggerPath;
    type Reply = Data<BTreeMap<&'static str, &'static str>>;
    const ROUTE: Route = Route::read("loggers/{name}").summary("The level of one log");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: LoggerPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let level = (path.name == NAME).then(|| (NAME, unsealed.core.settings().log.level().as_str()));
        Ok(Data::new(level.into_iter().collect()))
    }
}
