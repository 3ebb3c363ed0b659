//! Aliases of entities: read, written, moved, deleted.

use std::collections::BTreeMap;

use crate::barrier::Txn;
use crate::error::{Error, Result};

use super::record::{Alias, Entity};
use super::{IdentityStore, Pointer, alias_key, can_be_id};

/// What an alias is to be like.
#[derive(Clone, Debug, Default)]
pub struct AliasChange {
    /// Its id: there must be an alias of it. Without one the mount and the name say which alias is meant.
    pub id: Option<String>,
    /// Its name at the mount.
    pub name: Option<String>,
    /// The accessor of a mount that is there.
    pub mount_accessor: Option<String>,
    /// Whether that mount is meant for one cluster only.
    pub local: bool,
    /// The entity that it is to be of.
    pub entity_id: Option<String>,
    /// What operators say about it, as [`super::checked_metadata`] gives it.
    pub custom_metadata: Option<BTreeMap<String, String>>,
}

impl IdentityStore {
    /// The entity that the alias `id` is of.
    pub async fn entity_of_alias(&self, id: &str) -> Result<Option<Entity>> {
        if !can_be_id(id) {
            return Ok(None);
        }
        let Some(pointer) = self.aliases.get::<Pointer>(id).await? else { return Ok(None) };
        self.entities.get(&pointer.id).await
    }

    /// The entity that the mount of `accessor` knows as `name`.
    pub async fn entity_by_alias(&self, accessor: &str, name: &str) -> Result<Option<Entity>> {
        if !can_be_id(accessor) {
            return Ok(None);
        }
        let Some(pointer) = self.alias_names.get::<Pointer>(&alias_key(accessor, name)).await? else {
            return Ok(None);
        };
        self.entities.get(&pointer.id).await
    }

    /// Changes the alias that `change` is about, or makes one, and if need be its entity. Gives the ids of both.
    pub async fn write_alias(&self, change: AliasChange, txn: &mut Txn) -> Result<(Entity, String)> {
        let id = change.id.clone().filter(|id| !id.is_empty());
        if let Some(id) = id {
            let pointer: Option<Pointer> = if can_be_id(&id) { self.aliases.fetch(txn, &id).await? } else { None };
            let pointer = pointer.ok_or_else(|| Error::invalid("invalid alias ID provided"))?;
            return self.update_alias(&pointer, change, txn).await;
        }
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (Some(name), Some(accessor)) = (given(&change.name), given(&change.mount_accessor)) else {
            return Err(Error::invalid("'id' or 'mount_accessor' and 'name' must be provided"));
        };
        let pointer: Option<Pointer> = self.alias_names.fetch(txn, &alias_key(&accessor, &name)).await?;
        match pointer {
            Some(pointer) => {
                // Named by what it is rather than by its id, it is written anew.
                let custom_metadata = Some(change.custom_metadata.clone().unwrap_or_default());
                self.update_alias(&pointer, AliasChange { custom_metadata, ..change }, txn).await
            }
            None => self.create_alias(name, accessor, change, txn).await,
        }
    }

    /// Deletes the alias `id`. False if there is none.
    pub async fn delete_alias(&self, id: &str, txn: &mut Txn) -> Result<bool> {
        let pointer: Option<Pointer> = if can_be_id(id) { self.aliases.fetch(txn, id).await? } else { None };
        let Some(pointer) = pointer else { return Ok(false) };
        let mut entity = self.fetch_owner(&pointer, txn).await?;
        for alias in entity.aliases.iter().filter(|alias| alias.id == id) {
            self.unindex_alias(alias, txn)?;
        }
        entity.aliases.retain(|alias| alias.id != id);
        self.put_entity(&entity, txn)?;
        Ok(true)
    }

    /// An alias that is not stored yet.
    pub(super) fn new_alias(&self, name: String, accessor: String, local: bool) -> Result<Alias> {
        let now = self.now();
        Ok(Alias {
            id: self.entropy.uuid()?,
            name,
            mount_accessor: accessor,
            metadata: BTreeMap::new(),
            custom_metadata: None,
            local,
            created: now,
            updated: now,
            merged_from: Vec::new(),
        })
    }

    async fn create_alias(
        &self,
        name: String,
        accessor: String,
        change: AliasChange,
        txn: &mut Txn,
    ) -> Result<(Entity, String)> {
        let mut entity = match change.entity_id.filter(|id| !id.is_empty()) {
            Some(id) => self.fetch_entity(&id, txn).await?.ok_or_else(invalid_entity)?,
            None => self.new_entity(None, txn).await?,
        };
        if entity.alias_at(&accessor).is_some() {
            return Err(has_one_already());
        }
        let mut alias = self.new_alias(name, accessor, change.local)?;
        alias.custom_metadata = Some(change.custom_metadata.unwrap_or_default());
        self.index_alias(&entity.id, &alias, txn)?;
        let id = alias.id.clone();
        entity.aliases.push(alias);
        self.put_entity(&entity, txn)?;
        Ok((entity, id))
    }

    async fn update_alias(&self, pointer: &Pointer, change: AliasChange, txn: &mut Txn) -> Result<(Entity, String)> {
        let mut entity = self.fetch_owner(pointer, txn).await?;
        let position = entity.aliases.iter().position(|alias| alias.id == pointer.alias_id);
        let position = position.ok_or_else(damaged)?;
        let old = entity.aliases.remove(position);
        let mut alias = old.clone();
        alias.name = change.name.filter(|name| !name.is_empty()).unwrap_or(alias.name);
        if let Some(accessor) = change.mount_accessor.filter(|accessor| !accessor.is_empty()) {
            alias.mount_accessor = accessor;
            alias.local = change.local;
        }
        if let Some(custom) = change.custom_metadata {
            alias.custom_metadata = Some(custom).filter(|custom| !custom.is_empty());
        }
        alias.updated = self.now();
        let target = change.entity_id.filter(|id| !id.is_empty() && *id != entity.id);
        if target.is_none() && entity.alias_at(&alias.mount_accessor).is_some() {
            return Err(Error::invalid(
                "Alias cannot be updated as the entity already has an alias for the given 'mount_accessor' ",
            ));
        }
        let key = |alias: &Alias| alias_key(&alias.mount_accessor, &alias.name);
        if key(&alias) != key(&old) {
            let taken: Option<Pointer> = self.alias_names.fetch(txn, &key(&alias)).await?;
            if taken.is_some() {
                return Err(Error::invalid("alias with combination of mount accessor and name already exists"));
            }
        }
        self.unindex_alias(&old, txn)?;
        let id = alias.id.clone();
        if let Some(target) = target {
            let mut owner = self.fetch_entity(&target, txn).await?.ok_or_else(invalid_entity)?;
            if owner.alias_at(&alias.mount_accessor).is_some() {
                return Err(has_one_already());
            }
            self.put_entity(&entity, txn)?;
            self.index_alias(&owner.id, &alias, txn)?;
            owner.aliases.push(alias);
            self.put_entity(&owner, txn)?;
            return Ok((owner, id));
        }
        self.index_alias(&entity.id, &alias, txn)?;
        entity.aliases.insert(position, alias);
        self.put_entity(&entity, txn)?;
        Ok((entity, id))
    }

    async fn fetch_owner(&self, pointer: &Pointer, txn: &mut Txn) -> Result<Entity> {
        self.fetch_entity(&pointer.id, txn).await?.ok_or_else(damaged)
    }
}

/// An alias belongs to an entity always, and the entity knows it.
pub(super) fn damaged() -> Error {
    Error::corrupt("an alias points to nothing")
}

fn invalid_entity() -> Error {
    Error::invalid("invalid canonical ID")
}

fn has_one_already() -> Error {
    Error::invalid("Alias already exists for requested entity and mount accessor")
}
