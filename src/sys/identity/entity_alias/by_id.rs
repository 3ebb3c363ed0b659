//! `/v1/identity/entity-alias/id/{id}`: one alias.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::super::IdPath;
use super::super::alias_info::{AliasInfo, Mounts};
use super::named;
use super::write::{AliasFields, Written};

const PATTERNS: [&str; 3] = ["entity-alias/id/{id}", "alias/id/{id}", "persona/id/{id}"];

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadAlias<const NAME: u8> {}

impl<const NAME: u8> Endpoint for ReadAlias<NAME> {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Data<AliasInfo>;
    const ROUTE: Route = Route::read(named(NAME, PATTERNS)).summary("An alias of an entity");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let entity = unsealed.identity.entity_of_alias(&path.id).await?.ok_or_else(Error::absent)?;
        let alias = entity.alias(&path.id).ok_or_else(Error::absent)?;
        let info = AliasInfo::of(alias, &entity.id, &Mounts::of(unsealed));
        Ok(Data::new(info.in_namespace(unsealed.identity.namespace_id())))
    }
}

/// `POST`: see [`AliasFields`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct UpdateAlias<const NAME: u8>(AliasFields);

impl<const NAME: u8> Endpoint for UpdateAlias<NAME> {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Data<Written>;
    const ROUTE: Route = Route::write(named(NAME, PATTERNS)).summary("Change an alias of an entity");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let mut fields = self.0;
        fields.id = Some(LooseText(path.id));
        fields.write(unsealed, cx).await
    }
}

/// `DELETE`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteAlias<const NAME: u8> {}

impl<const NAME: u8> Endpoint for DeleteAlias<NAME> {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete(named(NAME, PATTERNS)).summary("Delete an alias of an entity");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, cx: &mut Cx<'_>) -> Result<Done> {
        unsealed.identity.delete_alias(&path.id, cx.txn()).await?;
        Ok(Done)
    }
}
