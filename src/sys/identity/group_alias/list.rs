//! `LIST /v1/identity/group-alias/id`: the ids of aliases of groups.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::{Error, Result};
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::super::alias_info::{AliasSummary, Mounts};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListGroupAliases {}

impl Endpoint for ListGroupAliases {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("group-alias/id").summary("The ids of aliases of groups");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        let mounts = Mounts::of(unsealed);
        let (mut keys, mut key_info) = (Vec::new(), Map::new());
        for id in unsealed.identity.group_alias_ids().await? {
            let Some(group) = unsealed.identity.group_of_alias(&id).await? else { continue };
            let Some(alias) = group.alias.as_ref() else { continue };
            let summary = serde_json::to_value(AliasSummary::of(alias, &group.id, &mounts))
                .map_err(|_| Error::internal("an alias cannot be shown"))?;
            key_info.insert(id.clone(), summary);
            keys.push(id);
        }
        Ok(Listing { keys, key_info: Some(key_info) })
    }
}
