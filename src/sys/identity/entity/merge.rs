//! `POST /v1/identity/entity/merge`: makes several entities one.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{LooseBool, LooseText, StringList};
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::identity::Merge;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// Which entities.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct MergeEntities {
    /// The ids of the entities that are no more afterwards.
    #[serde(default)]
    from_entity_ids: StringList,
    /// The id of the one that they go up in.
    to_entity_id: Option<LooseText>,
    /// Where two have an alias at the same mount, the ids of those that are kept.
    #[serde(default)]
    conflicting_alias_ids_to_keep: StringList,
    /// Read, and without effect: there is nothing that would need it.
    #[serde(default)]
    #[expect(dead_code, reason = "clients send it")]
    force: LooseBool,
}

impl Endpoint for MergeEntities {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("entity/merge").summary("Make several entities one");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        let merge = Merge {
            from: self.from_entity_ids.filled(),
            to: self.to_entity_id.map(|id| id.0).unwrap_or_default(),
            keep_aliases: self.conflicting_alias_ids_to_keep.filled(),
        };
        unsealed.identity.merge_entities(merge, cx.txn()).await?;
        Ok(Done)
    }
}
