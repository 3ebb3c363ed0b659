//! Who is behind a token: what its entity adds to it, and what becomes of both.

use std::sync::Arc;

use crate::barrier::Txn;
use crate::engine::{Caller, Identity};
use crate::error::{Error, Kind, Result};
use crate::identity::{AliasLogin, Facts};
use crate::mount::MountPoint;
use crate::token::TokenRecord;

use super::init::{BUILT_IN, built_in};
use super::unsealed::Unsealed;

/// How many aliases of a removed mount go in one commit.
const BATCH: usize = 128;

impl Unsealed {
    /// Adds to a caller what comes from the entity of their token. Refused if the token is of a namespace that this one does
    /// not lie in, or if the entity is disabled or gone; a token without an entity costs nothing.
    pub async fn identify(&self, caller: &mut Caller) -> Result<()> {
        if !self.admits(&caller.namespace_id) {
            return Err(Error::bad_token());
        }
        if caller.entity_id.is_empty() {
            return Ok(());
        }
        let facts = self.identity_facts(&caller.namespace_id, &caller.entity_id).await?;
        let facts = facts.filter(|facts| !facts.disabled).ok_or_else(Error::bad_token)?;
        caller.identity_policies.clone_from(&facts.policies);
        caller.identity = facts.template.clone();
        Ok(())
    }

    /// Whoever holds the token `id` that is stored as `record`; nothing if its entity is disabled or gone.
    pub async fn holder(&self, id: String, record: &TokenRecord) -> Result<Option<Caller>> {
        let mut caller = self.tokens.caller(id, record);
        match self.identify(&mut caller).await {
            Ok(()) => Ok(Some(caller)),
            Err(error) if error.kind() == Kind::Forbidden => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The policies that come from the entity of a token; none where it has none, or not any more.
    pub async fn identity_policies(&self, record: &TokenRecord) -> Result<Vec<String>> {
        if record.entity_id.is_empty() {
            return Ok(Vec::new());
        }
        let facts = self.identity_facts(&record.namespace_id, &record.entity_id).await?;
        Ok(facts.map(|facts| facts.policies.clone()).unwrap_or_default())
    }

    /// What is known of an entity of the namespace `namespace_id`.
    async fn identity_facts(&self, namespace_id: &str, entity_id: &str) -> Result<Option<Arc<Facts>>> {
        if namespace_id == self.namespace.id {
            return self.identity.facts(entity_id).await;
        }
        match self.core.namespaces.by_id(namespace_id) {
            Some(home) => home.identity.facts(entity_id).await,
            None => Ok(None),
        }
    }

    /// The entity behind a login; nothing where the method has no name for the caller. A disabled one is refused.
    pub(super) async fn recognise(
        &self,
        point: &MountPoint,
        identity: &Identity,
        txn: &mut Txn,
    ) -> Result<Option<Arc<Facts>>> {
        if identity.alias.is_empty() {
            return Ok(None);
        }
        let login = AliasLogin {
            accessor: &point.entry.accessor,
            local: point.entry.local,
            alias: &identity.alias,
            metadata: &identity.alias_metadata,
            groups: &identity.groups,
        };
        let facts = self.identity.log_in(&login, txn).await?;
        if facts.disabled { Err(Error::bad_token()) } else { Ok(Some(facts)) }
    }

    /// Removes the aliases of a mount that is being removed, a batch at a time.
    pub(super) async fn forget_aliases(&self, accessor: &str) -> Result<()> {
        loop {
            let mut txn = Txn::new();
            if self.identity.forget_mount(accessor, BATCH, &mut txn).await? == 0 {
                return Ok(());
            }
            match self.commit(txn).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                outcome => outcome?,
            }
        }
    }

    /// Mounts what every vault has and this one, made by an older server, has not yet.
    pub(super) async fn add_built_in_mounts(&self) -> Result<()> {
        let stored = self.mounts.stored().await?;
        for (path, role, kind, description) in BUILT_IN {
            if stored.iter().all(|entry| entry.path != path) {
                let entry = built_in(path, role, kind, description, &self.core.parts)?;
                let mut txn = Txn::new();
                self.mounts.store(&entry, &mut txn)?;
                self.commit(txn).await?;
            }
        }
        Ok(())
    }
}
