//! `/v1/identity/entity/name/{name}`: one entity, by its name.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::super::NamePath;
use super::EntityInfo;
use super::write::{EntityFields, NewEntity};

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadNamedEntity {}

impl Endpoint for ReadNamedEntity {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Data<EntityInfo>;
    const ROUTE: Route = Route::read("entity/name/{name..}").summary("An entity, by its name");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let entity = unsealed.identity.entity_by_name(&path.name).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(EntityInfo::of(entity, unsealed).await?))
    }
}

/// `POST`: see [`EntityFields`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WriteNamedEntity(EntityFields);

impl Endpoint for WriteNamedEntity {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Data<NewEntity>;
    const ROUTE: Route = Route::write("entity/name/{name..}").summary("Make or change the entity of this name");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let mut fields = self.0;
        fields.name = Some(LooseText(path.name));
        fields.write(unsealed, cx).await
    }
}

/// `DELETE`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteNamedEntity {}

impl Endpoint for DeleteNamedEntity {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("entity/name/{name..}").summary("Delete the entity of this name");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, cx: &mut Cx<'_>) -> Result<Done> {
        if let Some(entity) = unsealed.identity.entity_by_name(&path.name).await? {
            unsealed.identity.delete_entity(&entity.id, cx.txn()).await?;
        }
        Ok(Done)
    }
}
