//! `LIST /v1/identity/entity/id`: the ids of entities.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::{Error, Result};
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::super::alias_info::{AliasLine, Mounts};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListEntities {}

/// What is said about an entity.
#[derive(Debug, Serialize)]
struct EntityLine {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<AliasLine>,
}

impl Endpoint for ListEntities {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("entity/id").summary("The ids of entities");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        let (mut keys, mut key_info, mounts) = (Vec::new(), Map::new(), Mounts::of(unsealed));
        for id in unsealed.identity.entity_ids().await? {
            let Some(entity) = unsealed.identity.entity(&id).await? else { continue };
            let aliases = entity.aliases.iter().map(|alias| AliasLine::of(alias, &mounts)).collect();
            let shown = serde_json::to_value(EntityLine { name: entity.name, aliases });
            key_info.insert(id.clone(), shown.map_err(|_| Error::internal("an entity cannot be shown"))?);
            keys.push(id);
        }
        Ok(Listing { keys, key_info: Some(key_info) })
    }
}
