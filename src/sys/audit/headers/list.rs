//! `GET /v1/sys/config/auditing/request-headers`: all headers that go to the audit log.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::super::NoPath;
use super::HeaderRule;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListHeaders {}

/// All headers that go to the audit log.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Headers {
    headers: BTreeMap<String, HeaderRule>,
}

impl Endpoint for ListHeaders {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Headers>;
    const ROUTE: Route =
        Route::read("config/auditing/request-headers").sudo().summary("The headers that go to the audit log");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<Headers>> {
        let rules = unsealed.core.audited_headers.rules();
        let headers = rules.iter().map(|(name, hashed)| (name.clone(), HeaderRule { hmac: *hashed })).collect();
        Ok(Data::new(Headers { headers }).repeated())
    }
}
