//! `/v1/identity/group`: groups.

mod by_id;
mod by_name;
mod list_ids;
mod list_names;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::Routes;
use crate::error::Result;
use crate::identity::Group;
use crate::time::Timestamp;
use crate::vault::Unsealed;

use super::alias_info::{AliasInfo, Mounts, some};

/// Adds what is below `identity/group`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<write::WriteGroup>()
        .endpoint::<by_id::ReadGroup>()
        .endpoint::<by_id::UpdateGroup>()
        .endpoint::<by_id::DeleteGroup>()
        .endpoint::<by_name::ReadNamedGroup>()
        .endpoint::<by_name::WriteNamedGroup>()
        .endpoint::<by_name::DeleteNamedGroup>()
        .endpoint::<list_ids::ListGroups>()
        .endpoint::<list_names::ListGroupNames>()
}

/// A group as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct GroupInfo {
    id: String,
    name: String,
    namespace_id: String,
    /// `internal` or `external`.
    #[serde(rename = "type")]
    kind: String,
    policies: Option<Vec<String>>,
    metadata: Option<BTreeMap<String, String>>,
    member_entity_ids: Option<Vec<String>>,
    member_group_ids: Option<Vec<String>>,
    parent_group_ids: Option<Vec<String>>,
    alias: GroupAlias,
    modify_index: u64,
    creation_time: Timestamp,
    last_update_time: Timestamp,
}

/// The alias of a group; an empty object where there is none.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum GroupAlias {
    There(Box<AliasInfo>),
    Absent {},
}

impl GroupInfo {
    /// The group as it is shown.
    pub(super) async fn of(group: Group, unsealed: &Unsealed) -> Result<Self> {
        let alias = match &group.alias {
            Some(alias) => GroupAlias::There(Box::new(AliasInfo::of(alias, &group.id, &Mounts::of(unsealed)))),
            None => GroupAlias::Absent {},
        };
        let any = |ids: Vec<String>| Some(ids).filter(|ids| !ids.is_empty());
        Ok(Self {
            alias,
            member_entity_ids: any(unsealed.identity.members(&group.id).await?),
            id: group.id,
            name: group.name,
            namespace_id: unsealed.identity.namespace_id().to_owned(),
            kind: group.kind.as_str().to_owned(),
            policies: any(group.policies),
            metadata: some(&group.metadata),
            member_group_ids: any(group.member_group_ids),
            parent_group_ids: any(group.parent_group_ids),
            modify_index: group.modify_index,
            creation_time: group.created,
            last_update_time: group.updated,
        })
    }
}
