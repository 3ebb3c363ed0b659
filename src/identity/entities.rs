//! Entities: read, written, deleted.

use std::collections::BTreeMap;

use crate::barrier::Txn;
use crate::error::{Error, Result};

use super::record::{Alias, Entity};
use super::{IdentityStore, Pointer, alias_key, can_be_id, name_key};

/// What is to be changed of an entity; what is left out stays as it is.
#[derive(Clone, Debug, Default)]
pub struct EntityChange {
    /// Its id: there must be an entity of it.
    pub id: Option<String>,
    /// Its name. Without an id it says which entity is meant.
    pub name: Option<String>,
    /// Its policies, as [`super::policy_names`] gives them.
    pub policies: Option<Vec<String>>,
    /// Its metadata, as [`super::checked_metadata`] gives it.
    pub metadata: Option<BTreeMap<String, String>>,
    /// Whether its tokens are refused.
    pub disabled: Option<bool>,
}

impl IdentityStore {
    /// The entity `id`.
    pub async fn entity(&self, id: &str) -> Result<Option<Entity>> {
        if can_be_id(id) { self.entities.get(id).await } else { Ok(None) }
    }

    /// The entity of this name.
    pub async fn entity_by_name(&self, name: &str) -> Result<Option<Entity>> {
        let Some(pointer) = self.entity_names.get::<Pointer>(&name_key(name)).await? else { return Ok(None) };
        self.entities.get(&pointer.id).await
    }

    /// Changes the entity that `change` is about, or makes one. True where it was made.
    pub async fn write_entity(&self, change: EntityChange, txn: &mut Txn) -> Result<(Entity, bool)> {
        let EntityChange { id, name, policies, metadata, disabled } = change;
        let name = name.filter(|name| !name.is_empty());
        let found = match (id.filter(|id| !id.is_empty()), &name) {
            (Some(id), _) => {
                let found = self.fetch_entity(&id, txn).await?;
                Some(found.ok_or_else(|| Error::invalid("entity not found from id"))?)
            }
            (None, Some(name)) => self.fetch_entity_by_name(name, txn).await?,
            (None, None) => None,
        };
        let is_new = found.is_none();
        let mut entity = match found {
            Some(entity) => entity,
            None => self.new_entity(name.clone(), txn).await?,
        };
        if let Some(name) = name {
            self.rename_entity(&mut entity, name, txn).await?;
        }
        entity.policies = policies.unwrap_or(entity.policies);
        entity.metadata = metadata.unwrap_or(entity.metadata);
        entity.disabled = disabled.unwrap_or(entity.disabled);
        entity.updated = self.now();
        self.put_entity(&entity, txn)?;
        Ok((entity, is_new))
    }

    /// Deletes the entity `id` with all that points to it. False if there is none.
    pub async fn delete_entity(&self, id: &str, txn: &mut Txn) -> Result<bool> {
        let Some(entity) = self.fetch_entity(id, txn).await? else { return Ok(false) };
        for alias in &entity.aliases {
            self.unindex_alias(alias, txn)?;
        }
        for group in &entity.group_ids {
            self.members.delete(txn, &format!("{group}/{id}"))?;
        }
        for merged in &entity.merged_ids {
            self.merged.delete(txn, merged)?;
        }
        self.entity_names.delete(txn, &name_key(&entity.name))?;
        self.entities.delete(txn, id)?;
        self.forget_entity(&entity, txn);
        Ok(true)
    }

    /// The entity `id`, which must be the same when `txn` is committed.
    pub(super) async fn fetch_entity(&self, id: &str, txn: &mut Txn) -> Result<Option<Entity>> {
        if can_be_id(id) { self.entities.fetch(txn, id).await } else { Ok(None) }
    }

    async fn fetch_entity_by_name(&self, name: &str, txn: &mut Txn) -> Result<Option<Entity>> {
        let pointer: Option<Pointer> = self.entity_names.fetch(txn, &name_key(name)).await?;
        match pointer {
            Some(pointer) => self.entities.fetch(txn, &pointer.id).await,
            None => Ok(None),
        }
    }

    /// An entity that is not stored yet; its name is taken. A name that is made up is one that nobody has.
    pub(super) async fn new_entity(&self, name: Option<String>, txn: &mut Txn) -> Result<Entity> {
        let name = match name {
            Some(name) => name,
            None => self.made_up_name("entity")?,
        };
        let now = self.now();
        let entity = Entity {
            id: self.entropy.uuid()?,
            name,
            metadata: BTreeMap::new(),
            policies: Vec::new(),
            disabled: false,
            created: now,
            updated: now,
            merged_ids: Vec::new(),
            aliases: Vec::new(),
            group_ids: Vec::new(),
        };
        self.take_entity_name(&entity.name, &entity.id, txn).await?;
        Ok(entity)
    }

    async fn rename_entity(&self, entity: &mut Entity, name: String, txn: &mut Txn) -> Result<()> {
        if name_key(&name) != name_key(&entity.name) {
            self.take_entity_name(&name, &entity.id, txn).await?;
            self.entity_names.delete(txn, &name_key(&entity.name))?;
        }
        entity.name = name;
        Ok(())
    }

    async fn take_entity_name(&self, name: &str, id: &str, txn: &mut Txn) -> Result<()> {
        let key = name_key(name);
        let taken: Option<Pointer> = self.entity_names.fetch(txn, &key).await?;
        if taken.is_some_and(|pointer| pointer.id != id) {
            return Err(Error::invalid("entity name is already in use"));
        }
        self.entity_names.put(txn, &key, &Pointer::to(id))
    }

    /// Makes an alias be found, by its id and by its name.
    pub(super) fn index_alias(&self, entity_id: &str, alias: &Alias, txn: &mut Txn) -> Result<()> {
        let pointer = Pointer::to_alias(entity_id, alias);
        self.aliases.put(txn, &alias.id, &pointer)?;
        self.alias_names.put(txn, &alias_key(&alias.mount_accessor, &alias.name), &pointer)
    }

    /// Makes an alias not be found any more.
    pub(super) fn unindex_alias(&self, alias: &Alias, txn: &mut Txn) -> Result<()> {
        self.aliases.delete(txn, &alias.id)?;
        self.alias_names.delete(txn, &alias_key(&alias.mount_accessor, &alias.name))
    }
}
