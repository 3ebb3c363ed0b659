//! Aliases of external groups: read, written, moved, deleted.

use crate::barrier::Txn;
use crate::error::{Error, Result};

use super::aliases::damaged;
use super::record::{Alias, Group, GroupKind};
use super::{IdentityStore, Pointer, alias_key, can_be_id};

/// What an alias of a group is to be like.
#[derive(Clone, Debug, Default)]
pub struct GroupAliasChange {
    /// Its id: there must be an alias of it. Without one a new one is made.
    pub id: Option<String>,
    /// Its name at the mount.
    pub name: String,
    /// The accessor of a mount that is there.
    pub mount_accessor: String,
    /// The group that it is to be of; without one a new one is made.
    pub group_id: Option<String>,
}

impl IdentityStore {
    /// The group that the alias `id` is of.
    pub async fn group_of_alias(&self, id: &str) -> Result<Option<Group>> {
        if !can_be_id(id) {
            return Ok(None);
        }
        let Some(pointer) = self.group_aliases.get::<Pointer>(id).await? else { return Ok(None) };
        self.groups.get(&pointer.id).await
    }

    /// The group that the mount of `accessor` knows as `name`.
    pub async fn group_by_alias(&self, accessor: &str, name: &str) -> Result<Option<Group>> {
        if !can_be_id(accessor) {
            return Ok(None);
        }
        let Some(pointer) = self.group_alias_names.get::<Pointer>(&alias_key(accessor, name)).await? else {
            return Ok(None);
        };
        self.groups.get(&pointer.id).await
    }

    /// Gives an external group an alias in the place of the one that it has, or changes an alias. Gives the group and the
    /// id of the alias.
    pub async fn write_group_alias(&self, change: GroupAliasChange, txn: &mut Txn) -> Result<(Group, String)> {
        let GroupAliasChange { id, name, mount_accessor, group_id } = change;
        self.keep_out(txn).await;
        let previous = match id.filter(|id| !id.is_empty()) {
            Some(id) => Some(self.fetch_owner_of(&id, txn).await?),
            None => None,
        };
        let key = alias_key(&mount_accessor, &name);
        let taken: Option<Pointer> = self.group_alias_names.fetch(txn, &key).await?;
        let own_id = previous.as_ref().map(|(_, alias)| alias.id.as_str());
        if taken.is_some_and(|taken| Some(taken.alias_id.as_str()) != own_id) {
            return Err(Error::invalid("combination of mount and group alias name is already in use"));
        }
        let group_id = group_id.filter(|id| !id.is_empty());
        let (mut group, alias) = match (previous, group_id) {
            (Some((group, alias)), None) => (group, alias),
            (Some((group, alias)), Some(id)) if group.id == id => (group, alias),
            (Some((owner, alias)), Some(id)) => {
                let group = self.fetch_external(&id, txn).await?;
                self.take_alias(owner, txn).await?;
                (group, alias)
            }
            (None, group_id) => {
                let group = match group_id {
                    Some(id) => self.fetch_external(&id, txn).await?,
                    None => self.new_group(None, GroupKind::External, txn).await?,
                };
                (group, self.new_alias(String::new(), String::new(), false)?)
            }
        };
        let alias = Alias { name, mount_accessor, updated: self.now(), ..alias };
        self.give_alias(&mut group, alias, txn).await
    }

    /// Deletes the alias `id`; nobody is in its group any more. False if there is none.
    pub async fn delete_group_alias(&self, id: &str, txn: &mut Txn) -> Result<bool> {
        let pointer: Option<Pointer> = if can_be_id(id) { self.group_aliases.fetch(txn, id).await? } else { None };
        let Some(pointer) = pointer else { return Ok(false) };
        self.keep_out(txn).await;
        let group = self.fetch_group(&pointer.id, txn).await?.ok_or_else(damaged)?;
        self.take_alias(group, txn).await?;
        Ok(true)
    }

    /// Makes an alias of a group not be found any more.
    pub(super) fn unindex_group_alias(&self, alias: &Alias, txn: &mut Txn) -> Result<()> {
        self.group_aliases.delete(txn, &alias.id)?;
        self.group_alias_names.delete(txn, &alias_key(&alias.mount_accessor, &alias.name))
    }

    /// Takes the alias from a group. Whoever is in it was put there by that alias' mount, and nobody else can take them
    /// out: they leave with it. Only for who keeps others out.
    pub(super) async fn take_alias(&self, mut group: Group, txn: &mut Txn) -> Result<()> {
        if let Some(alias) = group.alias.take() {
            self.unindex_group_alias(&alias, txn)?;
        }
        self.set_members(&group, Vec::new(), txn).await?;
        self.touch(&mut group);
        self.put_group(&group, txn)
    }

    async fn give_alias(&self, group: &mut Group, alias: Alias, txn: &mut Txn) -> Result<(Group, String)> {
        if let Some(old) = group.alias.take() {
            self.unindex_group_alias(&old, txn)?;
            if old.mount_accessor != alias.mount_accessor {
                self.set_members(group, Vec::new(), txn).await?;
            }
        }
        let pointer = Pointer::to_alias(&group.id, &alias);
        self.group_aliases.put(txn, &alias.id, &pointer)?;
        self.group_alias_names.put(txn, &alias_key(&alias.mount_accessor, &alias.name), &pointer)?;
        let id = alias.id.clone();
        group.alias = Some(alias);
        self.touch(group);
        self.put_group(group, txn)?;
        Ok((group.clone(), id))
    }

    async fn fetch_owner_of(&self, alias_id: &str, txn: &mut Txn) -> Result<(Group, Alias)> {
        let pointer: Option<Pointer> =
            if can_be_id(alias_id) { self.group_aliases.fetch(txn, alias_id).await? } else { None };
        let pointer = pointer.ok_or_else(|| Error::invalid("invalid group alias ID"))?;
        let group = self.fetch_group(&pointer.id, txn).await?.ok_or_else(damaged)?;
        let alias = group.alias.clone().ok_or_else(damaged)?;
        Ok((group, alias))
    }

    async fn fetch_external(&self, id: &str, txn: &mut Txn) -> Result<Group> {
        let group = self.fetch_group(id, txn).await?;
        let group = group.ok_or_else(|| Error::invalid("invalid group ID given in 'canonical_id'"))?;
        match group.kind {
            GroupKind::External => Ok(group),
            GroupKind::Internal => Err(Error::invalid("alias can't be set on an internal group")),
        }
    }
}
