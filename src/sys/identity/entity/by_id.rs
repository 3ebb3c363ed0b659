//! `/v1/identity/entity/id/{id}`: one entity.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::super::IdPath;
use super::EntityInfo;
use super::write::{EntityFields, NewEntity};

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadEntity {}

impl Endpoint for ReadEntity {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Data<EntityInfo>;
    const ROUTE: Route = Route::read("entity/id/{id}").summary("An entity");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let entity = unsealed.identity.entity(&path.id).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(EntityInfo::of(entity, unsealed).await?))
    }
}

/// `POST`: see [`EntityFields`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct UpdateEntity(EntityFields);

impl Endpoint for UpdateEntity {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Data<NewEntity>;
    const ROUTE: Route = Route::write("entity/id/{id}").summary("Change an entity");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let mut fields = self.0;
        fields.id = Some(LooseText(path.id));
        fields.write(unsealed, cx).await
    }
}

/// `DELETE`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteEntity {}

impl Endpoint for DeleteEntity {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Done;
    const ROUTE: Route =
        Route::delete("entity/id/{id}").summary("Delete an entity: its tokens are refused from then on");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, cx: &mut Cx<'_>) -> Result<Done> {
        unsealed.identity.delete_entity(&path.id, cx.txn()).await?;
        Ok(Done)
    }
}
