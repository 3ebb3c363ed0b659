//! `GET /v1/sys/loggers`: the levels of the server's log.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::NAME;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadLoggers {}

impl Endpoint for ReadLoggers {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<BTreeMap<&'static str, &'static str>>;
    const ROUTE: Route = Route::read("loggers").summary("The levels of the server's log");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Data::new(BTreeMap::from([(NAME, unsealed.core.settings().log.level().as_str())])))
    }
}
