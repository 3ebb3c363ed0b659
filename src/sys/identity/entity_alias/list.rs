//! `LIST /v1/identity/entity-alias/id`: the ids of aliases.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::{Error, Result};
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::super::alias_info::{AliasSummary, Mounts};
use super::named;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListAliases<const NAME: u8> {}

impl<const NAME: u8> Endpoint for ListAliases<NAME> {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list(named(NAME, ["entity-alias/id", "alias/id", "persona/id"]))
        .summary("The ids of aliases of entities");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        let mounts = Mounts::of(unsealed);
        let (mut keys, mut key_info) = (Vec::new(), Map::new());
        for id in unsealed.identity.alias_ids().await? {
            let Some(entity) = unsealed.identity.entity_of_alias(&id).await? else { continue };
            let Some(alias) = entity.alias(&id) else { continue };
            let summary = serde_json::to_value(AliasSummary::of(alias, &entity.id, &mounts))
                .map_err(|_| Error::internal("an alias cannot be shown"))?;
            key_info.insert(id.clone(), summary);
            keys.push(id);
        }
        Ok(Listing { keys, key_info: Some(key_info) })
    }
}
