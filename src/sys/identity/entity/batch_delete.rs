//! `POST /v1/identity/entity/batch-delete`: deletes several entities.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::StringList;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// Which entities.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct DeleteEntities {
    /// Their ids; one that there is no entity of is passed over.
    entity_ids: StringList,
}

impl Endpoint for DeleteEntities {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("entity/batch-delete").summary("Delete several entities");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        let ids: BTreeSet<String> = self.entity_ids.filled().into_iter().collect();
        if ids.is_empty() {
            return Err(Error::invalid("missing entity ids to delete"));
        }
        for id in ids {
            unsealed.identity.delete_entity(&id, cx.txn()).await?;
        }
        Ok(Done)
    }
}
