//! `/v1/identity/group-alias/id/{id}`: one alias of a group.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::super::IdPath;
use super::super::alias_info::{AliasInfo, Mounts};
use super::write::{GroupAliasFields, Written};

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadGroupAlias {}

impl Endpoint for ReadGroupAlias {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Data<AliasInfo>;
    const ROUTE: Route = Route::read("group-alias/id/{id}").summary("An alias of a group");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let group = unsealed.identity.group_of_alias(&path.id).await?.ok_or_else(Error::absent)?;
        let alias = group.alias.as_ref().ok_or_else(Error::absent)?;
        let info = AliasInfo::of(alias, &group.id, &Mounts::of(unsealed));
        Ok(Data::new(info.in_namespace(unsealed.identity.namespace_id())))
    }
}

/// `POST`: see [`GroupAliasFields`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct UpdateGroupAlias(GroupAliasFields);

impl Endpoint for UpdateGroupAlias {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Data<Written>;
    const ROUTE: Route = Route::write("group-alias/id/{id}").summary("Change an alias of a group");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let mut fields = self.0;
        fields.id = Some(LooseText(path.id));
        fields.write(unsealed, cx).await
    }
}

/// `DELETE`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteGroupAlias {}

impl Endpoint for DeleteGroupAlias {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("group-alias/id/{id}").summary("Delete an alias of a group");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, cx: &mut Cx<'_>) -> Result<Done> {
        unsealed.identity.delete_group_alias(&path.id, cx.txn()).await?;
        Ok(Done)
    }
}
