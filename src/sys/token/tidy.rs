//! `POST /v1/auth/token/tidy`: removes what tokens that are gone left behind.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route, StatusCode};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Tidy {}

impl Endpoint for Tidy {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<()>;
    const ROUTE: Route = Route::write("tidy").summary("Remove what tokens that are gone left behind");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<()>> {
        let tidied = unsealed.clone();
        unsealed.spawn("tidy tokens", async move {
            let removed = tidied.tokens.tidy().await?;
            tracing::info!(removed, "the tokens were tidied");
            Ok(())
        });
        cx.warn("Tidy operation successfully started. What it did is written to the server's log.");
        Ok(Data::or_nothing(None).with_status(StatusCode::ACCEPTED))
    }
}
