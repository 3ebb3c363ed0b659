//! `POST /v1/identity/group`: makes a group, or changes the one that is named.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{KeyValues, LooseText, StringList};
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::identity::{GroupChange, GroupKind, checked_metadata, policy_names};
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// What a group is to be like; what is left out stays as it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct GroupFields {
    /// Its id, to change it rather than make another.
    pub(super) id: Option<LooseText>,
    /// Its name; made up if there is none.
    pub(super) name: Option<LooseText>,
    /// `internal`, or `external` for one whose members an auth method decides about.
    #[serde(rename = "type")]
    kind: Option<LooseText>,
    /// What is said about it.
    metadata: Option<KeyValues>,
    /// The policies of its members.
    policies: Option<StringList>,
    /// The entities in it.
    member_entity_ids: Option<StringList>,
    /// The groups in it.
    member_group_ids: Option<StringList>,
}

/// A new group.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NewGroup {
    id: String,
    name: String,
}

/// See [`GroupFields`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WriteGroup(GroupFields);

impl Endpoint for WriteGroup {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<NewGroup>;
    const ROUTE: Route = Route::write("group").summary("Make a group, or change the one that is named");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        self.0.write(unsealed, cx).await
    }
}

impl GroupFields {
    /// Writes the group; there is something to say about a new one only.
    pub(super) async fn write(self, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Data<NewGroup>> {
        let change = GroupChange {
            id: self.id.map(|id| id.0),
            name: self.name.map(|name| name.0),
            kind: self.kind.map(|kind| GroupKind::parse(&kind.0)).transpose()?,
            policies: self.policies.map(|policies| policy_names(policies.as_slice())).transpose()?,
            metadata: self.metadata.map(|metadata| checked_metadata(metadata.0)).transpose()?,
            member_entity_ids: self.member_entity_ids.map(StringList::filled),
            member_group_ids: self.member_group_ids.map(StringList::filled),
        };
        let (group, is_new) = unsealed.identity.write_group(change, cx.txn()).await?;
        Ok(Data::or_nothing(is_new.then_some(NewGroup { id: group.id, name: group.name })))
    }
}
