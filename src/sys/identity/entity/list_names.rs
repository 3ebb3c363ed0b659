//! `LIST /v1/identity/entity/name`: the names of entities.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListEntityNames {}

impl Endpoint for ListEntityNames {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("entity/name").summary("The names of entities");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        let mut names = Vec::new();
        for id in unsealed.identity.entity_ids().await? {
            names.extend(unsealed.identity.entity(&id).await?.map(|entity| entity.name));
        }
        names.sort_unstable();
        Ok(Listing::of(names))
    }
}
