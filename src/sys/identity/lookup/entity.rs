//! `POST /v1/identity/lookup/entity`: an entity by whatever is known of it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::super::entity::EntityInfo;
use super::{Key, Known};

/// See [`Known`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct LookUpEntity(Known);

impl Endpoint for LookUpEntity {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<EntityInfo>;
    const ROUTE: Route = Route::write("lookup/entity").summary("An entity by whatever is known of it");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let store = &unsealed.identity;
        let found = match self.0.key()? {
            Key::Name(name) => store.entity_by_name(&name).await?,
            Key::Id(id) => store.entity(&id).await?,
            Key::AliasId(id) => store.entity_of_alias(&id).await?,
            Key::Alias { accessor, name } => store.entity_by_alias(&accessor, &name).await?,
        };
        let info = match found {
            Some(entity) => Some(EntityInfo::of(entity, unsealed).await?),
            None => None,
        };
        Ok(Data::or_nothing(info))
    }
}
