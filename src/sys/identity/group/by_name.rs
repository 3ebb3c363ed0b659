//! `/v1/identity/group/name/{name}`: one group, by its name.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::super::NamePath;
use super::GroupInfo;
use super::write::{GroupFields, NewGroup};

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadNamedGroup {}

impl Endpoint for ReadNamedGroup {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Data<GroupInfo>;
    const ROUTE: Route = Route::read("group/name/{name..}").summary("A group, by its name");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let group = unsealed.identity.group_by_name(&path.name).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(GroupInfo::of(group, unsealed).await?))
    }
}

/// `POST`: see [`GroupFields`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WriteNamedGroup(GroupFields);

impl Endpoint for WriteNamedGroup {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Data<NewGroup>;
    const ROUTE: Route = Route::write("group/name/{name..}").summary("Make or change the group of this name");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let mut fields = self.0;
        fields.name = Some(LooseText(path.name));
        fields.write(unsealed, cx).await
    }
}

/// `DELETE`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteNamedGroup {}

impl Endpoint for DeleteNamedGroup {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("group/name/{name..}").summary("Delete the group of this name");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, cx: &mut Cx<'_>) -> Result<Done> {
        if let Some(group) = unsealed.identity.group_by_name(&path.name).await? {
            unsealed.identity.delete_group(&group.id, cx.txn()).await?;
        }
        Ok(Done)
    }
}
