//! `POST /v1/sys/config/cors`: lets web pages call the API.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::StringList;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::{Cors, Unsealed};

/// Which pages, with which headers.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteCors {
    /// The origins of the pages; `*` alone is any.
    allowed_origins: StringList,
    /// Headers beside those that clients of the API send.
    allowed_headers: StringList,
}

impl Endpoint for WriteCors {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("config/cors").sudo().summary("Lets web pages call the API");
    const ALIASES: &'static [&'static str] = &["enable"];

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        let cors = Cors::new(self.allowed_origins.filled(), self.allowed_headers.filled())?;
        unsealed.core.cors.write(Some(cors), cx.txn())?;
        Ok(Done)
    }
}
