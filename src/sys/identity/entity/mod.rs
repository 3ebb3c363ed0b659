//! `/v1/identity/entity`: entities.

mod batch_delete;
mod by_id;
mod by_name;
mod list_ids;
mod list_names;
mod merge;
mod write;

pub(super) use write::{EntityFields, NewEntity};

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::Routes;
use crate::error::Result;
use crate::identity::Entity;
use crate::time::Timestamp;
use crate::vault::Unsealed;

use super::alias_info::{AliasInfo, Mounts, some};

/// Adds what is below `identity/entity`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<write::WriteEntity>()
        .endpoint::<by_id::ReadEntity>()
        .endpoint::<by_id::UpdateEntity>()
        .endpoint::<by_id::DeleteEntity>()
        .endpoint::<by_name::ReadNamedEntity>()
        .endpoint::<by_name::WriteNamedEntity>()
        .endpoint::<by_name::DeleteNamedEntity>()
        .endpoint::<list_ids::ListEntities>()
        .endpoint::<list_names::ListEntityNames>()
        .endpoint::<batch_delete::DeleteEntities>()
        .endpoint::<merge::MergeEntities>()
}

/// An entity as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EntityInfo {
    id: String,
    name: String,
    namespace_id: String,
    policies: Vec<String>,
    metadata: Option<BTreeMap<String, String>>,
    disabled: bool,
    aliases: Vec<AliasInfo>,
    /// The groups that it is in itself.
    direct_group_ids: Vec<String>,
    /// The groups above those.
    inherited_group_ids: Vec<String>,
    /// Both.
    group_ids: Vec<String>,
    creation_time: Timestamp,
    last_update_time: Timestamp,
    merged_entity_ids: Option<Vec<String>>,
}

impl EntityInfo {
    /// The entity as it is shown.
    pub(super) async fn of(entity: Entity, unsealed: &Unsealed) -> Result<Self> {
        let mounts = Mounts::of(unsealed);
        let facts = unsealed.identity.facts_of(&entity).await?;
        Ok(Self {
            aliases: entity.aliases.iter().map(|alias| AliasInfo::of(alias, &entity.id, &mounts)).collect(),
            id: entity.id,
            name: entity.name,
            namespace_id: unsealed.identity.namespace_id().to_owned(),
            policies: entity.policies,
            metadata: some(&entity.metadata),
            disabled: entity.disabled,
            group_ids: facts.direct_group_ids.iter().chain(&facts.inherited_group_ids).cloned().collect(),
            direct_group_ids: facts.direct_group_ids,
            inherited_group_ids: facts.inherited_group_ids,
            creation_time: entity.created,
            last_update_time: entity.updated,
            merged_entity_ids: Some(entity.merged_ids).filter(|ids| !ids.is_empty()),
        })
    }
}
