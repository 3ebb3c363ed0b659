//! `POST /v1/identity/lookup/group`: a group by whatever is known of it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::super::group::GroupInfo;
use super::{Key, Known};

/// See [`Known`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct LookUpGroup(Known);

impl Endpoint for LookUpGroup {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<GroupInfo>;
    const ROUTE: Route = Route::write("lookup/group").summary("A group by whatever is known of it");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let store = &unsealed.identity;
        let found = match self.0.key()? {
            Key::Name(name) => store.group_by_name(&name).await?,
            Key::Id(id) => store.group(&id).await?,
            Key::AliasId(id) => store.group_of_alias(&id).await?,
            Key::Alias { accessor, name } => store.group_by_alias(&accessor, &name).await?,
        };
        let info = match found {
            Some(group) => Some(GroupInfo::of(group, unsealed).await?),
            None => None,
        };
        Ok(Data::or_nothing(info))
    }
}
