//! Groups: read, written, deleted.

use std::collections::{BTreeMap, BTreeSet};

use crate::barrier::Txn;
use crate::error::{Error, Result};
use crate::storage::Page;

use super::record::{Group, GroupKind};
use super::{IdentityStore, Pointer, can_be_id, name_key};

/// What is to be changed of a group; what is left out stays as it is.
#[derive(Clone, Debug, Default)]
pub struct GroupChange {
    /// Its id: there must be a group of it.
    pub id: Option<String>,
    /// Its name. Without an id it says which group is meant.
    pub name: Option<String>,
    /// Who decides about its members; that never changes.
    pub kind: Option<GroupKind>,
    /// Its policies, as [`super::policy_names`] gives them.
    pub policies: Option<Vec<String>>,
    /// Its metadata, as [`super::checked_metadata`] gives it.
    pub metadata: Option<BTreeMap<String, String>>,
    /// The entities in it.
    pub member_entity_ids: Option<Vec<String>>,
    /// The groups in it.
    pub member_group_ids: Option<Vec<String>>,
}

impl IdentityStore {
    /// The group `id`.
    pub async fn group(&self, id: &str) -> Result<Option<Group>> {
        if can_be_id(id) { self.groups.get(id).await } else { Ok(None) }
    }

    /// The group of this name.
    pub async fn group_by_name(&self, name: &str) -> Result<Option<Group>> {
        let Some(pointer) = self.group_names.get::<Pointer>(&name_key(name)).await? else { return Ok(None) };
        self.groups.get(&pointer.id).await
    }

    /// The ids of the entities in the group `id` itself, in order.
    pub async fn members(&self, id: &str) -> Result<Vec<String>> {
        self.members.list(&format!("{id}/"), Page::all()).await
    }

    /// Changes the group that `change` is about, or makes one. True where it was made.
    pub async fn write_group(&self, change: GroupChange, txn: &mut Txn) -> Result<(Group, bool)> {
        let name = change.name.clone().filter(|name| !name.is_empty());
        let found = match (change.id.clone().filter(|id| !id.is_empty()), &name) {
            (Some(id), _) => {
                let found = self.fetch_group(&id, txn).await?;
                Some(found.ok_or_else(|| Error::invalid("invalid group ID"))?)
            }
            (None, Some(name)) => self.fetch_group_by_name(name, txn).await?,
            (None, None) => None,
        };
        let is_new = found.is_none();
        let mut group = match found {
            Some(group) => group,
            None => self.new_group(name.clone(), change.kind.unwrap_or_default(), txn).await?,
        };
        if change.kind.is_some_and(|kind| kind != group.kind) {
            return Err(Error::invalid("group type cannot be changed"));
        }
        refuse_members_of_external(&group, &change)?;
        if let Some(name) = name {
            self.rename_group(&mut group, name, txn).await?;
        }
        group.policies = change.policies.unwrap_or(group.policies);
        group.metadata = change.metadata.unwrap_or(group.metadata);
        if let Some(ids) = change.member_entity_ids.filter(|_| group.kind == GroupKind::Internal) {
            self.set_members(&group, ids, txn).await?;
        }
        if let Some(ids) = change.member_group_ids {
            self.set_member_groups(&mut group, ids, txn).await?;
        }
        self.touch(&mut group);
        self.put_group(&group, txn)?;
        Ok((group, is_new))
    }

    /// Deletes the group `id`: nobody is in it any more, and it is in no other. False if there is none.
    pub async fn delete_group(&self, id: &str, txn: &mut Txn) -> Result<bool> {
        let Some(group) = self.fetch_group(id, txn).await? else { return Ok(false) };
        self.keep_out(txn).await;
        self.set_members(&group, Vec::new(), txn).await?;
        for child in &group.member_group_ids {
            self.cut(child, txn, |child| child.parent_group_ids.retain(|parent| parent != id)).await?;
        }
        for parent in &group.parent_group_ids {
            self.cut(parent, txn, |parent| parent.member_group_ids.retain(|child| child != id)).await?;
        }
        if let Some(alias) = &group.alias {
            self.unindex_group_alias(alias, txn)?;
        }
        self.group_names.delete(txn, &name_key(&group.name))?;
        self.groups.delete(txn, id)?;
        self.forget_groups(txn);
        Ok(true)
    }

    /// The group `id`, which must be the same when `txn` is committed.
    pub(super) async fn fetch_group(&self, id: &str, txn: &mut Txn) -> Result<Option<Group>> {
        if can_be_id(id) { self.groups.fetch(txn, id).await } else { Ok(None) }
    }

    async fn fetch_group_by_name(&self, name: &str, txn: &mut Txn) -> Result<Option<Group>> {
        let pointer: Option<Pointer> = self.group_names.fetch(txn, &name_key(name)).await?;
        match pointer {
            Some(pointer) => self.groups.fetch(txn, &pointer.id).await,
            None => Ok(None),
        }
    }

    /// A group that is not stored yet; its name is taken.
    pub(super) async fn new_group(&self, name: Option<String>, kind: GroupKind, txn: &mut Txn) -> Result<Group> {
        let name = match name {
            Some(name) => name,
            None => self.made_up_name("group")?,
        };
        let now = self.now();
        let group = Group {
            id: self.entropy.uuid()?,
            name,
            kind,
            policies: Vec::new(),
            metadata: BTreeMap::new(),
            member_group_ids: Vec::new(),
            parent_group_ids: Vec::new(),
            alias: None,
            modify_index: 0,
            created: now,
            updated: now,
        };
        self.take_group_name(&group.name, &group.id, txn).await?;
        Ok(group)
    }

    /// Counts a change.
    pub(super) fn touch(&self, group: &mut Group) {
        group.modify_index += 1;
        group.updated = self.now();
    }

    async fn rename_group(&self, group: &mut Group, name: String, txn: &mut Txn) -> Result<()> {
        if name_key(&name) != name_key(&group.name) {
            self.take_group_name(&name, &group.id, txn).await?;
            self.group_names.delete(txn, &name_key(&group.name))?;
        }
        group.name = name;
        Ok(())
    }

    async fn take_group_name(&self, name: &str, id: &str, txn: &mut Txn) -> Result<()> {
        let key = name_key(name);
        let taken: Option<Pointer> = self.group_names.fetch(txn, &key).await?;
        if taken.is_some_and(|pointer| pointer.id != id) {
            return Err(Error::invalid("group name is already in use"));
        }
        self.group_names.put(txn, &key, &Pointer::to(id))
    }

    /// Makes `ids` the entities in the group.
    pub(super) async fn set_members(&self, group: &Group, ids: Vec<String>, txn: &mut Txn) -> Result<()> {
        let present: BTreeSet<String> = self.members(&group.id).await?.into_iter().collect();
        let wanted: BTreeSet<String> = ids.into_iter().filter(|id| !id.is_empty()).collect();
        for id in wanted.difference(&present) {
            let entity = self.fetch_entity(id, txn).await?;
            let mut entity = entity.ok_or_else(|| Error::invalid("invalid entity ID in 'member_entity_ids'"))?;
            entity.group_ids.push(group.id.clone());
            entity.group_ids.sort_unstable();
            entity.group_ids.dedup();
            self.put_entity(&entity, txn)?;
            self.members.put(txn, &format!("{}/{id}", group.id), &Pointer::to(id))?;
        }
        for id in present.difference(&wanted) {
            if let Some(mut entity) = self.fetch_entity(id, txn).await? {
                entity.group_ids.retain(|other| *other != group.id);
                self.put_entity(&entity, txn)?;
            }
            self.members.delete(txn, &format!("{}/{id}", group.id))?;
        }
        Ok(())
    }

    async fn set_member_groups(&self, group: &mut Group, ids: Vec<String>, txn: &mut Txn) -> Result<()> {
        let wanted: BTreeSet<String> = ids.into_iter().filter(|id| !id.is_empty()).collect();
        let present: BTreeSet<String> = group.member_group_ids.iter().cloned().collect();
        for id in wanted.difference(&present) {
            if *id == group.id {
                return Err(Error::invalid("a member group ID is same as the ID of the group"));
            }
            let child = self.fetch_group(id, txn).await?;
            let mut child = child.ok_or_else(|| Error::invalid("invalid member group ID in 'member_group_ids'"))?;
            if self.lies_below(&group.id, &child, txn).await? {
                return Err(Error::invalid(
                    "cyclic relationship detected for a member group ID: the group would be in itself",
                ));
            }
            child.parent_group_ids.push(group.id.clone());
            child.parent_group_ids.sort_unstable();
            child.parent_group_ids.dedup();
            self.touch(&mut child);
            self.put_group(&child, txn)?;
        }
        for id in present.difference(&wanted) {
            self.cut(id, txn, |child| child.parent_group_ids.retain(|parent| *parent != group.id)).await?;
        }
        group.member_group_ids = wanted.into_iter().collect();
        Ok(())
    }

    /// Whether the group `id` is `group` or below it. All that is looked at must be the same when `txn` is committed: two
    /// changes at once cannot close a circle either.
    async fn lies_below(&self, id: &str, group: &Group, txn: &mut Txn) -> Result<bool> {
        let mut seen = BTreeSet::from([group.id.clone()]);
        let mut next = group.member_group_ids.clone();
        while let Some(below) = next.pop() {
            if below == id {
                return Ok(true);
            }
            if seen.insert(below.clone())
                && let Some(group) = self.fetch_group(&below, txn).await?
            {
                next.extend(group.member_group_ids);
            }
        }
        Ok(false)
    }

    /// Changes the links of a group that is there.
    async fn cut(&self, id: &str, txn: &mut Txn, change: impl FnOnce(&mut Group) + Send) -> Result<()> {
        let Some(mut group) = self.fetch_group(id, txn).await? else { return Ok(()) };
        change(&mut group);
        self.touch(&mut group);
        self.put_group(&group, txn)
    }
}

/// Whoever is in an external group is for its auth method to say.
fn refuse_members_of_external(group: &Group, change: &GroupChange) -> Result<()> {
    let names_any = |ids: &Option<Vec<String>>| ids.as_ref().is_some_and(|ids| !ids.is_empty());
    let is_external = group.kind == GroupKind::External;
    if is_external && names_any(&change.member_entity_ids) {
        return Err(Error::invalid("member entities can't be set manually for external groups"));
    }
    if is_external && names_any(&change.member_group_ids) {
        return Err(Error::invalid("member groups can't be set for external groups"));
    }
    Ok(())
}
