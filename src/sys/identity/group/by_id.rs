//! `/v1/identity/group/id/{id}`: one group.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::super::IdPath;
use super::GroupInfo;
use super::write::{GroupFields, NewGroup};

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadGroup {}

impl Endpoint for ReadGroup {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Data<GroupInfo>;
    const ROUTE: Route = Route::read("group/id/{id}").summary("A group");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let group = unsealed.identity.group(&path.id).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(GroupInfo::of(group, unsealed).await?))
    }
}

/// `POST`: see [`GroupFields`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct UpdateGroup(GroupFields);

impl Endpoint for UpdateGroup {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Data<NewGroup>;
    const ROUTE: Route = Route::write("group/id/{id}").summary("Change a group");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let mut fields = self.0;
        fields.id = Some(LooseText(path.id));
        fields.write(unsealed, cx).await
    }
}

/// `DELETE`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteGroup {}

impl Endpoint for DeleteGroup {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("group/id/{id}").summary("Delete a group");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, cx: &mut Cx<'_>) -> Result<Done> {
        unsealed.identity.delete_group(&path.id, cx.txn()).await?;
        Ok(Done)
    }
}
