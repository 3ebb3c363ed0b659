//! `GET /v1/sys/internal/counters/tokens`: how many service tokens there are.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct CountTokens {}

/// How many there are.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TokenCount {
    counters: Counters,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Counters {
    service_tokens: Total,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Total {
    total: usize,
}

impl Endpoint for CountTokens {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<TokenCount>;
    const ROUTE: Route = Route::read("internal/counters/tokens").summary("How many service tokens there are");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let total = unsealed.tokens.accessors(&unsealed.namespace.id).await?.len();
        Ok(Data::new(TokenCount { counters: Counters { service_tokens: Total { total } } }))
    }
}
