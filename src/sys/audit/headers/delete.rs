//! `DELETE /v1/sys/config/auditing/request-headers/{header}`: has a header written to the audit log no more.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::HeaderPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteHeader {}

impl Endpoint for DeleteHeader {
    type Target = Arc<Unsealed>;
    type Path = HeaderPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("config/auditing/request-headers/{header:lower}")
        .sudo()
        .summary("Have a header written to the audit log no more");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: HeaderPath, cx: &mut Cx<'_>) -> Result<Done> {
        unsealed.core.audited_headers.remove(&path.header, cx.txn()).await?;
        Ok(Done)
    }
}
