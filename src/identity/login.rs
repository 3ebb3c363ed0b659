//! A login: the entity behind it is found, or made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::barrier::Txn;
use crate::error::Result;

use super::aliases::damaged;
use super::facts::Facts;
use super::record::{Entity, Group, GroupKind};
use super::{IdentityStore, Pointer, alias_key};

/// Who an auth method says that a caller is.
#[derive(Clone, Copy, Debug)]
pub struct AliasLogin<'a> {
    /// The accessor of its mount.
    pub accessor: &'a str,
    /// Whether the mount is meant for one cluster only.
    pub local: bool,
    /// The name of the caller there; not empty.
    pub alias: &'a str,
    /// What the method says about the alias.
    pub metadata: &'a BTreeMap<String, String>,
    /// The groups that the caller is in there.
    pub groups: &'a [String],
}

impl IdentityStore {
    /// The entity behind a login: the one that has the alias, or a new one. Its alias' metadata and the external groups of
    /// this mount become what the method says; if they are that already, nothing is put into `txn`.
    ///
    /// A disabled entity is given as it is, and not changed: the caller refuses the login.
    pub async fn log_in(&self, login: &AliasLogin<'_>, txn: &mut Txn) -> Result<Arc<Facts>> {
        let known = self.external_groups(login).await?;
        let key = alias_key(login.accessor, login.alias);
        if let Some(pointer) = self.alias_names.get::<Pointer>(&key).await?
            && let Some(facts) = self.facts(&pointer.id).await?
            && (facts.disabled || facts.says(login, &known))
        {
            return Ok(facts);
        }
        self.keep_open(txn).await;
        // Read anew: until now an alias could be taken from a group, and nobody would take the entity out again.
        let groups = self.external_groups(login).await?;
        let pointer: Option<Pointer> = self.alias_names.fetch(txn, &key).await?;
        let mut entity = match pointer {
            Some(pointer) => self.fetch_entity(&pointer.id, txn).await?.ok_or_else(damaged)?,
            None => self.entity_for(login, txn).await?,
        };
        if !entity.disabled {
            let now = self.now();
            let alias = entity.aliases.iter_mut().find(|alias| alias.mount_accessor == login.accessor);
            let alias = alias.ok_or_else(damaged)?;
            if alias.metadata != *login.metadata {
                alias.metadata.clone_from(login.metadata);
                alias.updated = now;
            }
            self.join(&mut entity, login.accessor, &groups, txn).await?;
            self.put_entity(&entity, txn)?;
        }
        Ok(Arc::new(self.facts_of(&entity).await?))
    }

    /// A new entity for whoever logs in for the first time.
    async fn entity_for(&self, login: &AliasLogin<'_>, txn: &mut Txn) -> Result<Entity> {
        let mut entity = self.new_entity(None, txn).await?;
        let alias = self.new_alias(login.alias.to_owned(), login.accessor.to_owned(), login.local)?;
        self.index_alias(&entity.id, &alias, txn)?;
        entity.aliases.push(alias);
        Ok(entity)
    }

    /// The ids of the external groups that have an alias for what the method calls groups.
    async fn external_groups(&self, login: &AliasLogin<'_>) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for name in login.groups {
            let pointer: Option<Pointer> = self.group_alias_names.get(&alias_key(login.accessor, name)).await?;
            found.extend(pointer.map(|pointer| pointer.id));
        }
        Ok(found)
    }

    /// Puts the entity into `groups`, and out of the other external groups of this mount.
    async fn join(&self, entity: &mut Entity, accessor: &str, groups: &BTreeSet<String>, txn: &mut Txn) -> Result<()> {
        let member = |group: &str, entity: &Entity| format!("{group}/{}", entity.id);
        for group in groups.iter().filter(|id| !entity.group_ids.contains(id)) {
            // Must be there still when the entity joins.
            if self.groups.fetch::<Group>(txn, group).await?.is_some() {
                self.members.put(txn, &member(group, entity), &Pointer::to(&entity.id))?;
            }
        }
        let mut stays = Vec::new();
        for id in std::mem::take(&mut entity.group_ids) {
            let group: Option<Group> = self.groups.get(&id).await?;
            let is_left = group.is_none_or(|group| match &group.alias {
                Some(alias) => alias.mount_accessor == accessor && !groups.contains(&id),
                // Nobody can say who is in it.
                None => group.kind == GroupKind::External,
            });
            if is_left {
                self.members.delete(txn, &member(&id, entity))?;
            } else {
                stays.push(id);
            }
        }
        stays.extend(groups.iter().cloned());
        stays.sort_unstable();
        stays.dedup();
        entity.group_ids = stays;
        Ok(())
    }
}

impl Facts {
    /// Whether all that a login says is known already.
    fn says(&self, login: &AliasLogin<'_>, groups: &BTreeSet<String>) -> bool {
        let alias = self.template.entity.as_ref().and_then(|entity| entity.aliases.get(login.accessor));
        let is_left_to = |accessor: &String| accessor.is_empty() || accessor == login.accessor;
        let external = self.external.iter().filter(|(_, accessor)| is_left_to(accessor));
        let external: BTreeSet<&String> = external.map(|(id, _)| id).collect();
        alias.is_some_and(|alias| alias.metadata == *login.metadata) && external == groups.iter().collect()
    }
}
