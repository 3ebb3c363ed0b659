//! `GET /v1/sys/internal/counters/requests`: counted requests once; clients that still ask are told so.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct CountRequests {}

impl Endpoint for CountRequests {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::read("internal/counters/requests").summary("No longer counts requests");

    async fn handle(self, _: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        Err(Error::not_found("The functionality has been removed on this path"))
    }
}
