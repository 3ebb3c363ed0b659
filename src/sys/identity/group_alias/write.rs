//! `POST /v1/identity/group-alias`: gives an external group an alias.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::LooseText;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::identity::GroupAliasChange;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::super::serving;

/// What an alias of a group is to be like.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct GroupAliasFields {
    /// Its id, to change it rather than make another.
    pub(super) id: Option<LooseText>,
    /// The name of the group at the mount.
    name: Option<LooseText>,
    /// The accessor of the mount.
    mount_accessor: Option<LooseText>,
    /// The external group; a new one if there is none.
    canonical_id: Option<LooseText>,
}

/// An alias that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Written {
    id: String,
    canonical_id: String,
}

/// See [`GroupAliasFields`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WriteGroupAlias(GroupAliasFields);

impl Endpoint for WriteGroupAlias {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Written>;
    const ROUTE: Route = Route::write("group-alias").summary("Give an external group an alias");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        self.0.write(unsealed, cx).await
    }
}

impl GroupAliasFields {
    /// Writes the alias.
    pub(super) async fn write(self, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Data<Written>> {
        let text = |field: Option<LooseText>| field.map(|text| text.0).filter(|text| !text.is_empty());
        let name = text(self.name).ok_or_else(|| Error::invalid("missing alias name"))?;
        let accessor = text(self.mount_accessor).ok_or_else(|| Error::invalid("missing mount_accessor"))?;
        serving(&accessor, unsealed, cx).await?;
        let change =
            GroupAliasChange { id: text(self.id), name, mount_accessor: accessor, group_id: text(self.canonical_id) };
        let (group, id) = unsealed.identity.write_group_alias(change, cx.txn()).await?;
        Ok(Data::new(Written { id, canonical_id: group.id }))
    }
}
