//! `LIST /v1/identity/entity/id`: the ids of entities.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListEntities {}

impl Endpoint for ListEntities {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("entity/id").summary("The ids of entities");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        let (mut keys, mut key_info) = (Vec::new(), Map::new());
        for id in unsealed.identity.entity_ids().await? {
            let Some(entity) = unsealed.identity.entity(&id).await? else { continue };
            key_info.insert(id.clone(), json!({ "name": entity.name }));
            keys.push(id);
        }
        Ok(Listing { keys, key_info: Some(key_info) })
    }
}
