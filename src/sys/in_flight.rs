//! `GET /v1/sys/in-flight-req`: the requests that are being answered right now, this one among them.

use std::collections::HashMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Raw, Route};
use crate::error::Result;
use crate::vault::{RequestInFlight, Unsealed};

use super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadInFlight {}

impl Endpoint for ReadInFlight {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Raw<HashMap<String, RequestInFlight>>;
    const ROUTE: Route = Route::read("in-flight-req").summary("The requests that are being answered right now");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Raw::new(unsealed.core.in_flight.all()))
    }
}
