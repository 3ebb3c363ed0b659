//! `POST /v1/sys/config/auditing/request-headers/{header}`: has a header written to the audit log.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseBool;
use crate::engine::{Caller, Cx, Done, Endpoint, Existence, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::HeaderPath;

/// How.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteHeader {
    /// Whether its values are hashed.
    hmac: LooseBool,
}

impl Endpoint for WriteHeader {
    type Target = Arc<Unsealed>;
    type Path = HeaderPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("config/auditing/request-headers/{header:lower}")
        .sudo()
        .summary("Have a header written to the audit log");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: HeaderPath, cx: &mut Cx<'_>) -> Result<Done> {
        unsealed.core.audited_headers.write(&path.header, self.hmac.0, cx.txn()).await?;
        Ok(Done)
    }

    async fn existence(unsealed: &Arc<Unsealed>, path: HeaderPath, _: Option<&Caller>) -> Result<Existence> {
        Ok(unsealed.core.audited_headers.rules().contains_key(&path.header).into())
    }
}
