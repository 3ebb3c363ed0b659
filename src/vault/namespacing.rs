//! Creating, changing and removing namespaces, and what one of them means to the others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::barrier::{Scope, Txn};
use crate::engine::Caller;
use crate::error::{Error, Kind, Result};
use crate::policy::{Acl, Source, TemplateFacts};
use crate::time::Timestamp;
use crate::token::TokenRecord;

use super::init::furnish_namespace;
use super::namespaces::Namespace;
use super::unsealed::Unsealed;

/// Names that mean something else as the first segment of a path.
const RESERVED: [&str; 7] = ["root", "sys", "audit", "auth", "cubbyhole", "identity", "."];
/// The length of a namespace's id.
const ID_LENGTH: usize = 6;
/// How many records of a removed namespace go in one commit.
const BATCH: usize = 256;
/// How long the removal waits before it looks again whether all leases have ended.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long it waits after a failure.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// What a caller's access-control list is compiled from, and from where it is asked.
#[derive(Debug)]
pub struct Basis {
    /// The caller's policies; those that do not exist are not among them.
    pub sources: Vec<Source>,
    /// What placeholders stand for.
    pub facts: Arc<TemplateFacts>,
    /// Where this namespace lies in that of the policies: empty, or with a slash at its end.
    pub within: String,
}

impl Unsealed {
    /// Whether a token of the namespace `namespace_id` is good here: in its own namespace and in those within.
    pub(super) fn admits(&self, namespace_id: &str) -> bool {
        namespace_id == self.namespace.id || self.outer(namespace_id).is_ok()
    }

    /// What `caller` may do in this namespace. Whoever is of another that this one does not lie in may do nothing.
    pub async fn acl(&self, caller: &Caller, now: Timestamp) -> Result<Arc<Acl>> {
        if caller.namespace_id == self.namespace.id {
            return self.policies.acl(caller, "", now).await;
        }
        let home = self.outer(&caller.namespace_id)?;
        home.policies.acl(caller, self.within(&home), now).await
    }

    /// What that is compiled from.
    pub async fn basis(&self, caller: &Caller) -> Result<Basis> {
        let home = self.core.namespaces.by_id(&caller.namespace_id).ok_or_else(Error::bad_token)?;
        let (sources, facts) = home.policies.basis(caller).await?;
        Ok(Basis { sources, facts, within: self.within(&home).to_owned() })
    }

    /// The namespace `id`, if this one lies in it.
    fn outer(&self, id: &str) -> Result<Arc<Self>> {
        let outer = self.core.namespaces.by_id(id).filter(|outer| outer.namespace.contains(&self.namespace.path));
        outer.ok_or_else(Error::bad_token)
    }

    /// The record of a token as the parent of one that is made in this namespace. Of another namespace it brings neither
    /// policies, which mean something else here, nor its entity; what it may do here says whether it may give any.
    pub fn as_parent_here(&self, mut record: TokenRecord) -> TokenRecord {
        if record.namespace_id != self.namespace.id {
            record.policies.clear();
            record.entity_id.clear();
            record.namespace_id.clone_from(&self.namespace.id);
        }
        record
    }

    /// Creates the namespace `name` in this one; of one that is there the metadata is replaced.
    pub async fn create_namespace(&self, name: &str, metadata: BTreeMap<String, String>) -> Result<Namespace> {
        let name = checked_name(name)?;
        let _mounting = self.mounting.lock().await;
        if !self.serves() {
            return Err(Error::not_found("namespace not found"));
        }
        let path = format!("{}{name}/", self.namespace.path);
        if let Some(there) = self.core.namespaces.at(&path) {
            return there.change_namespace(|known| metadata.clone_into(known)).await;
        }
        if self.core.namespaces.stored().await?.iter().any(|known| known.path == path) {
            return Err(Error::invalid("a namespace of this name is being removed; try again later"));
        }
        if let Some(mount) = self.mounts.in_the_way(&format!("{name}/")) {
            return Err(Error::invalid(format!("new namespace conflicts with existing mount: {mount}")));
        }
        let parts = &self.core.parts;
        let (id, uuid) = (parts.entropy.base62(ID_LENGTH)?, parts.entropy.uuid()?);
        if self.core.namespaces.by_id(&id).is_some() {
            return Err(Error::new(Kind::Unavailable, "the namespace was given an id that is in use; try again"));
        }
        let namespace = Namespace { id, uuid, path, custom_metadata: metadata, removing: false, lock: None };
        let mut txn = Txn::new();
        furnish_namespace(&namespace.id, parts, &self.core.barrier, &mut txn)?;
        self.core.namespaces.store(&namespace, &mut txn)?;
        self.commit(txn).await?;
        self.core.namespaces.install(Self::open(&self.core, namespace.clone()).await?);
        Ok(namespace)
    }

    /// Changes the metadata of this namespace.
    pub async fn change_namespace(&self, change: impl Fn(&mut BTreeMap<String, String>) + Send) -> Result<Namespace> {
        loop {
            let mut txn = Txn::new();
            let record = self.core.namespaces.fetch(&self.namespace.id, &mut txn).await?;
            let mut record = record.ok_or_else(|| Error::invalid("the root namespace has no metadata"))?;
            change(&mut record.custom_metadata);
            self.core.namespaces.store(&record, &mut txn)?;
            match self.commit(txn).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                outcome => return outcome.map(|()| record),
            }
        }
    }

    /// Removes the namespace `name` of this one: it serves nothing from now on; its leases and tokens are revoked and its
    /// records removed in the background, also after a restart. False if there is none.
    pub async fn remove_namespace(&self, name: &str) -> Result<bool> {
        let _mounting = self.mounting.lock().await;
        let path = format!("{}{name}/", self.namespace.path);
        let Some(leaving) = self.core.namespaces.at(&path) else {
            // One that is on its way out is as good as removed.
            return Ok(self.core.namespaces.stored().await?.iter().any(|known| known.path == path));
        };
        // Nobody makes a namespace in it meanwhile.
        let _inner = leaving.mounting.lock().await;
        if !self.core.namespaces.within(&path).is_empty() {
            return Err(Error::invalid("unable to delete namespace containing child namespaces"));
        }
        let mut txn = Txn::new();
        let record = self.core.namespaces.fetch(&leaving.namespace.id, &mut txn).await?;
        let record = record.ok_or_else(|| Error::corrupt("the record of a namespace is missing"))?;
        self.core.namespaces.store(&Namespace { removing: true, ..record }, &mut txn)?;
        self.commit(txn).await?;
        self.core.namespaces.withdraw(&path);
        // It is gone from now on, whatever fails after this.
        leaving.clone().remove_in_background();
        self.core.drop_quotas(&path).await?;
        Ok(true)
    }

    /// Goes on with the removal of this namespace.
    pub(super) fn remove_in_background(self: Arc<Self>) {
        let core = self.core.clone();
        core.clone().spawn("remove a namespace", core.shutdown.clone(), async move {
            self.gate.drain().await;
            loop {
                match self.finish_leaving().await {
                    Err(error) if error.kind() != Kind::Sealed => {
                        let namespace = &self.namespace.path;
                        tracing::warn!(%namespace, %error, "the namespace could not be removed; it is tried again");
                        tokio::time::sleep(TRY_AGAIN).await;
                    }
                    ended => return ended,
                }
            }
        });
    }

    async fn finish_leaving(&self) -> Result<()> {
        // A lease that cannot be revoked now is tried again by and by.
        loop {
            self.revoke_prefix("", false).await?;
            for accessor in self.tokens.accessors(&self.namespace.id).await? {
                if let Some((id, _)) = self.by_accessor(&accessor).await? {
                    self.revoke_token(&id).await?;
                }
            }
            if self.leases.below("").await?.is_empty() {
                break;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        self.end();
        let everything = self.core.barrier.view(Scope::of_namespace(&self.namespace.id));
        for part in everything.scan("").await?.chunks(BATCH) {
            let mut txn = Txn::new();
            for key in part {
                everything.delete(&mut txn, key)?;
            }
            self.commit(txn).await?;
        }
        let mut txn = Txn::new();
        self.core.namespaces.erase(&self.namespace.id, &mut txn)?;
        self.commit(txn).await?;
        self.core.namespaces.forget(&self.namespace.id);
        tracing::info!(namespace = %self.namespace.path, "the namespace was removed");
        Ok(())
    }

    fn within<'p>(&'p self, home: &Self) -> &'p str {
        self.namespace.path.strip_prefix(&home.namespace.path).unwrap_or_default()
    }
}

/// The name of a namespace, if it is one: a single segment of a path without wildcards and blanks.
fn checked_name(name: &str) -> Result<&str> {
    let name = name.strip_suffix('/').unwrap_or(name);
    if name.is_empty() || name.contains('/') {
        return Err(Error::invalid("namespace name cannot contain /"));
    }
    if name.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return Err(Error::invalid(format!(
            "{name:?} contains space characters that cannot be used in a namespace name"
        )));
    }
    if let Some(wildcard) = name.chars().find(|character| matches!(character, '*' | '+')) {
        return Err(Error::invalid(format!(
            "{name:?} contains wildcard characters that cannot be used in a namespace name: '{wildcard}'"
        )));
    }
    if RESERVED.contains(&name) || name == ".." {
        return Err(Error::invalid(format!("\"{name}/\" is a reserved path and cannot be used as a namespace name")));
    }
    Ok(name)
}
