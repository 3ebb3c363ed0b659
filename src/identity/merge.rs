//! Entities that turn out to be the same one.

use std::collections::BTreeSet;

use crate::barrier::Txn;
use crate::error::{Error, Result};

use super::record::Entity;
use super::{IdentityStore, Pointer, name_key};

/// Which entities go up in which.
#[derive(Clone, Debug, Default)]
pub struct Merge {
    /// The entities that are no more afterwards.
    pub from: Vec<String>,
    /// The one that they go up in.
    pub to: String,
    /// Where two have an alias at the same mount, the ids of those that are kept.
    pub keep_aliases: Vec<String>,
}

impl IdentityStore {
    /// Merges entities: the aliases and the groups of all become those of one, and so do their tokens. Its name, policies
    /// and metadata stay as they are.
    pub async fn merge_entities(&self, merge: Merge, txn: &mut Txn) -> Result<Entity> {
        let Merge { from, to, keep_aliases } = merge;
        if from.is_empty() {
            return Err(Error::invalid("missing entity ids to merge from"));
        }
        if to.is_empty() {
            return Err(Error::invalid("missing entity id to merge to"));
        }
        let from: BTreeSet<String> = from.into_iter().collect();
        let target = self.fetch_entity(&to, txn).await?;
        let mut target = target.ok_or_else(|| Error::invalid("entity id to merge to is invalid"))?;
        if from.contains(&to) {
            return Err(Error::invalid("to_entity_id should not be present in from_entity_ids"));
        }
        let mut sources = Vec::with_capacity(from.len());
        for id in &from {
            let source = self.fetch_entity(id, txn).await?;
            sources.push(source.ok_or_else(|| Error::invalid("entity id to merge from is invalid"))?);
        }
        self.keep_open(txn).await;
        for source in sources {
            self.take_aliases(&mut target, &source, &keep_aliases, txn)?;
            for group in &source.group_ids {
                self.members.delete(txn, &format!("{group}/{}", source.id))?;
                self.members.put(txn, &format!("{group}/{}", target.id), &Pointer::to(&target.id))?;
                target.group_ids.push(group.clone());
            }
            self.entity_names.delete(txn, &name_key(&source.name))?;
            self.entities.delete(txn, &source.id)?;
            self.forget_entity(&source, txn);
            target.merged_ids.push(source.id);
            target.merged_ids.extend(source.merged_ids);
        }
        target.group_ids.sort_unstable();
        target.group_ids.dedup();
        for merged in &target.merged_ids {
            self.merged.put(txn, merged, &Pointer::to(&target.id))?;
        }
        target.updated = self.now();
        self.put_entity(&target, txn)?;
        Ok(target)
    }

    fn take_aliases(&self, target: &mut Entity, source: &Entity, keep: &[String], txn: &mut Txn) -> Result<()> {
        for alias in &source.aliases {
            let mut moved = alias.clone();
            moved.merged_from.push(source.id.clone());
            if let Some(own) = target.alias_at(&alias.mount_accessor) {
                if keep.contains(&own.id) {
                    self.unindex_alias(alias, txn)?;
                    continue;
                }
                if !keep.contains(&alias.id) {
                    return Err(conflict(&own.id, &alias.id, keep));
                }
                self.unindex_alias(own, txn)?;
                target.aliases.retain(|other| other.mount_accessor != alias.mount_accessor);
            }
            self.index_alias(&target.id, &moved, txn)?;
            target.aliases.push(moved);
        }
        Ok(())
    }
}

fn conflict(own: &str, other: &str, keep: &[String]) -> Error {
    Error::invalid(if keep.is_empty() {
        format!(
            "toEntity and at least one fromEntity have aliases with the same mount accessor, repeat the merge request \
             specifying exactly one fromEntity and, in 'conflicting_alias_ids_to_keep', which alias stays; clashes: \
             conflicting toEntity alias ID: {own}, conflicting fromEntity alias ID: {other}"
        )
    } else {
        format!(
            "conflicting mount accessors in following alias IDs and neither were present in \
             conflicting_alias_ids_to_keep: {own}, {other}"
        )
    })
}
