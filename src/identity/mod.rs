//! Identity: entities, the aliases by which auth methods know them, and the groups that they are in.
//!
//! Everything is in the store of one namespace, with an index for every question that a request asks: which entity is
//! behind (mount, alias), which groups an entity is in, which groups lie above a group. What a request by a known entity
//! needs is kept in a bounded cache that every change invalidates exactly.

mod aliases;
mod cache;
mod entities;
mod facts;
mod group_aliases;
mod groups;
mod login;
mod merge;
mod mounts;
pub mod oidc;
mod record;

pub use aliases::AliasChange;
pub use entities::EntityChange;
pub use facts::Facts;
pub use group_aliases::GroupAliasChange;
pub use groups::GroupChange;
pub use login::AliasLogin;
pub use merge::Merge;
pub use record::{Alias, Entity, Group, GroupKind, checked_metadata, policy_names};

use std::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use ring::digest;
use serde::{Deserialize, Serialize};
use tokio::sync::RwLock as AsyncRwLock;

use crate::barrier::{Record, Txn, View};
use crate::entropy::Entropy;
use crate::error::Result;
use crate::storage::Page;
use crate::time::{Clock, Timestamp};

use cache::Cache;
use oidc::OidcStore;

/// How many entities' facts are kept in memory.
const CACHED: usize = 32_768;

/// The entities and groups of one namespace.
pub struct IdentityStore {
    entities: View,
    entity_names: View,
    aliases: View,
    alias_names: View,
    merged: View,
    groups: View,
    group_names: View,
    group_aliases: View,
    group_alias_names: View,
    members: View,
    namespace_id: String,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
    cache: Arc<Cache>,
    /// Shared by those who join and leave, and held alone by whoever empties a group. What is listed has no expectation,
    /// so nobody else may join between that and the commit.
    joining: Arc<AsyncRwLock<()>>,
    /// The keys and roles of its signed identity tokens.
    pub oidc: OidcStore,
}

/// From a name, or from the id of an alias, to what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pointer {
    /// The id of the entity or the group.
    id: String,
    /// The id of the alias; empty where the pointer is from a name of the thing itself.
    alias_id: String,
}

impl Record for Pointer {}

impl Pointer {
    fn to(id: &str) -> Self {
        Self { id: id.to_owned(), alias_id: String::new() }
    }

    fn to_alias(id: &str, alias: &Alias) -> Self {
        Self { id: id.to_owned(), alias_id: alias.id.clone() }
    }
}

impl IdentityStore {
    /// The identities of a namespace, kept in `view`.
    pub fn new(view: &View, namespace_id: &str, entropy: Arc<dyn Entropy>, clock: Arc<dyn Clock>) -> Self {
        Self {
            entities: view.within("entity"),
            entity_names: view.within("entity-name"),
            aliases: view.within("alias"),
            alias_names: view.within("alias-name"),
            merged: view.within("merged"),
            groups: view.within("group"),
            group_names: view.within("group-name"),
            group_aliases: view.within("group-alias"),
            group_alias_names: view.within("group-alias-name"),
            members: view.within("member"),
            namespace_id: namespace_id.to_owned(),
            oidc: OidcStore::new(view, entropy.clone(), clock.clone()),
            entropy,
            clock,
            cache: Arc::new(Cache::new(CACHED)),
            joining: Arc::default(),
        }
    }

    /// The id of the namespace whose identities these are.
    pub fn namespace_id(&self) -> &str {
        &self.namespace_id
    }

    /// How many entities there are.
    pub async fn count_entities(&self) -> Result<usize> {
        Ok(self.entity_ids().await?.len())
    }

    /// The ids of all entities, in order.
    pub async fn entity_ids(&self) -> Result<Vec<String>> {
        self.entities.list("", Page::all()).await
    }

    /// The ids of all groups, in order.
    pub async fn group_ids(&self) -> Result<Vec<String>> {
        self.groups.list("", Page::all()).await
    }

    /// The ids of all aliases of entities, in order.
    pub async fn alias_ids(&self) -> Result<Vec<String>> {
        self.aliases.list("", Page::all()).await
    }

    /// The ids of all aliases of groups, in order.
    pub async fn group_alias_ids(&self) -> Result<Vec<String>> {
        self.group_aliases.list("", Page::all()).await
    }

    /// Until `txn` is settled no group is emptied. Once for each transaction, as [`IdentityStore::keep_out`].
    async fn keep_open(&self, txn: &mut Txn) {
        let shared = self.joining.clone().read_owned().await;
        txn.on_settled(move || drop(shared));
    }

    /// Until `txn` is settled nobody joins an external group.
    async fn keep_out(&self, txn: &mut Txn) {
        let alone = self.joining.clone().write_owned().await;
        txn.on_settled(move || drop(alone));
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A name for what was made without one.
    fn made_up_name(&self, what: &str) -> Result<String> {
        let random: [u8; 4] = self.entropy.bytes()?;
        Ok(format!("{what}_{}.{}", HEXLOWER.encode(&random), self.namespace_id))
    }

    /// Writes an entity; what is cached of it is forgotten when it is committed.
    fn put_entity(&self, entity: &Entity, txn: &mut Txn) -> Result<()> {
        self.entities.put(txn, &entity.id, entity)?;
        self.forget_entity(entity, txn);
        Ok(())
    }

    fn forget_entity(&self, entity: &Entity, txn: &mut Txn) {
        let mut ids = entity.merged_ids.clone();
        ids.push(entity.id.clone());
        let cache = self.cache.clone();
        txn.on_settled(move || cache.forget(&ids));
    }

    /// Writes a group. Whoever is in it, or in a group below it, may have other facts then: all are forgotten, which is
    /// right because groups change rarely. That an entity joins or leaves is a change of the entity.
    fn put_group(&self, group: &Group, txn: &mut Txn) -> Result<()> {
        self.groups.put(txn, &group.id, group)?;
        self.forget_groups(txn);
        Ok(())
    }

    fn forget_groups(&self, txn: &mut Txn) {
        let cache = self.cache.clone();
        txn.on_settled(move || cache.forget_all());
    }
}

impl fmt::Debug for IdentityStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityStore").field("namespace_id", &self.namespace_id).finish_non_exhaustive()
    }
}

/// A name as a key: names may be of any length and have slashes in them, and their case does not count.
fn name_key(name: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, name.to_lowercase().as_bytes()).as_ref())
}

/// The key of an alias by its mount and its name.
fn alias_key(accessor: &str, name: &str) -> String {
    format!("{accessor}/{}", name_key(name))
}

/// Whether a text that a caller gave can be an id or an accessor: what cannot be one is not looked up.
fn can_be_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 512
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests;
