//! `GET /v1/sys/internal/counters/entities`: how many entities there are.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct CountEntities {}

/// How many there are.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EntityCount {
    counters: EntityCounters,
}

#[derive(Debug, Serialize, JsonSchema)]
struct EntityCounters {
    entities: EntityTotal,
}

#[derive(Debug, Serialize, JsonSchema)]
struct EntityTotal {
    total: usize,
}

impl Endpoint for CountEntities {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<EntityCount>;
    const ROUTE: Route = Route::read("internal/counters/entities").summary("How many entities there are");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let total = unsealed.identity.count_entities().await?;
        Ok(Data::new(EntityCount { counters: EntityCounters { entities: EntityTotal { total } } }))
    }
}
