//! `DELETE /v1/sys/config/cors`: lets no web page call the API.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteCors {}

impl Endpoint for DeleteCors {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("config/cors").sudo().summary("Lets no web page call the API");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        unsealed.core.cors.write(None, cx.txn())?;
        Ok(Done)
    }
}
