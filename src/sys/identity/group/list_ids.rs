//! `LIST /v1/identity/group/id`: the ids of groups.

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
pub(crate) struct ListGroups {}

impl Endpoint for ListGroups {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("group/id").summary("The ids of groups");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        let (mut keys, mut key_info) = (Vec::new(), Map::new());
        for id in unsealed.identity.group_ids().await? {
            let Some(group) = unsealed.identity.group(&id).await? else { continue };
            let info = json!({
                "name": group.name,
                "num_member_entities": unsealed.identity.members(&id).await?.len(),
                "num_parent_groups": group.parent_group_ids.len(),
            });
            key_info.insert(id.clone(), info);
            keys.push(id);
        }
        Ok(Listing { keys, key_info: Some(key_info) })
    }
}
