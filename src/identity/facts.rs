//! `Facts`: what a request needs to know of the entity behind its token.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::Result;
use crate::policy::{AliasFacts, EntityFacts, GroupFacts, TemplateFacts};

use super::record::{Entity, Group, GroupKind};
use super::{IdentityStore, can_be_id};

/// What a request needs to know of the entity behind its token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The entity's id.
    pub entity_id: String,
    /// Its name.
    pub name: String,
    /// Whether its tokens are refused.
    pub disabled: bool,
    /// Its own policies and those of all its groups, sorted, each once.
    pub policies: Vec<String>,
    /// The groups that it is in itself, sorted.
    pub direct_group_ids: Vec<String>,
    /// The groups above those, sorted; one of the direct ones is not among them.
    pub inherited_group_ids: Vec<String>,
    /// What placeholders in policies stand for.
    pub template: Arc<TemplateFacts>,
    /// Of the direct groups the external ones, each with the accessor of the mount that decides about its members; empty
    /// where none does.
    pub(super) external: Vec<(String, String)>,
}

impl IdentityStore {
    /// The facts of the entity `id`, or of the one that it went up in; nothing if there is none any more.
    pub async fn facts(&self, id: &str) -> Result<Option<Arc<Facts>>> {
        if !can_be_id(id) {
            return Ok(None);
        }
        if let Some(facts) = self.cache.find(id) {
            return Ok(Some(facts));
        }
        let ticket = self.cache.ticket(id);
        let Some(entity) = self.entity_or_successor(id).await? else { return Ok(None) };
        let facts = Arc::new(self.facts_of(&entity).await?);
        self.cache.keep(id, &facts, ticket);
        Ok(Some(facts))
    }

    pub(super) async fn entity_or_successor(&self, id: &str) -> Result<Option<Entity>> {
        if let Some(entity) = self.entities.get(id).await? {
            return Ok(Some(entity));
        }
        let Some(successor) = self.merged.get::<super::Pointer>(id).await? else { return Ok(None) };
        self.entities.get(&successor.id).await
    }

    /// The facts of an entity as it is given, with the groups as they are stored.
    pub async fn facts_of(&self, entity: &Entity) -> Result<Facts> {
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let mut missing: BTreeSet<String> = BTreeSet::new();
        let mut next: Vec<String> = entity.group_ids.clone();
        while let Some(id) = next.pop() {
            if groups.contains_key(&id) || missing.contains(&id) {
                continue;
            }
            match self.groups.get::<Group>(&id).await? {
                Some(group) => {
                    next.extend(group.parent_group_ids.iter().cloned());
                    groups.insert(id, group);
                }
                None => drop(missing.insert(id)),
            }
        }
        Ok(facts(entity, &groups))
    }
}

/// The facts of an entity that is in `groups`, directly or not.
fn facts(entity: &Entity, groups: &BTreeMap<String, Group>) -> Facts {
    let mut policies: BTreeSet<&String> = entity.policies.iter().collect();
    policies.extend(groups.values().flat_map(|group| &group.policies));
    let is_direct = |id: &String| entity.group_ids.contains(id);
    let external = groups.values().filter(|group| group.kind == GroupKind::External && is_direct(&group.id));
    let external = external.map(|group| {
        let accessor = group.alias.as_ref().map(|alias| alias.mount_accessor.clone()).unwrap_or_default();
        (group.id.clone(), accessor)
    });
    Facts {
        entity_id: entity.id.clone(),
        name: entity.name.clone(),
        disabled: entity.disabled,
        policies: policies.into_iter().cloned().collect(),
        direct_group_ids: groups.keys().filter(|id| is_direct(id)).cloned().collect(),
        inherited_group_ids: groups.keys().filter(|id| !is_direct(id)).cloned().collect(),
        external: external.collect(),
        template: Arc::new(template(entity, groups)),
    }
}

fn template(entity: &Entity, groups: &BTreeMap<String, Group>) -> TemplateFacts {
    let aliases = entity.aliases.iter().map(|alias| {
        let facts = AliasFacts {
            id: alias.id.clone(),
            name: alias.name.clone(),
            metadata: alias.metadata.clone(),
            custom_metadata: alias.custom_metadata.clone().unwrap_or_default(),
        };
        (alias.mount_accessor.clone(), facts)
    });
    let group =
        |group: &Group| GroupFacts { id: group.id.clone(), name: group.name.clone(), metadata: group.metadata.clone() };
    TemplateFacts {
        entity: Some(EntityFacts {
            id: entity.id.clone(),
            name: entity.name.clone(),
            metadata: entity.metadata.clone(),
            aliases: aliases.collect(),
        }),
        groups: groups.values().map(group).collect(),
    }
}
