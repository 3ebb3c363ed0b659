//! `POST /v1/sys/leases/tidy`: ends leases that are left over, in the background.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Answer, Content, Cx, Endpoint, Route, StatusCode};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct TidyLeases {}

impl Endpoint for TidyLeases {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Answer;
    const ROUTE: Route = Route::write("leases/tidy").summary("Ends leases that are left over, in the background");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Answer> {
        unsealed.tidy_leases();
        cx.warn("Tidy operation successfully started. What it finds is written to the server's log.");
        Ok(Answer { status: StatusCode::ACCEPTED, content: Content::Nothing, warnings: Vec::new() })
    }
}
