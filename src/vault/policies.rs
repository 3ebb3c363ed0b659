//! `PolicyStore`: the policies of one namespace, and the compiled lists of their holders.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::barrier::{Kept, Record, Txn, View};
use crate::engine::Caller;
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::policy::{Acl, AclCache, Policy, PolicyName, RESPONSE_WRAPPING_POLICY, Source, TemplateFacts};
use crate::time::Timestamp;

/// How many rules of compiled lists are kept, of some hundred bytes each.
const COMPILED: u64 = 131_072;

/// How many policies of a namespace are kept parsed.
const PARSED: usize = 4096;

/// A policy as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// Its name.
    pub name: PolicyName,
    /// Its text.
    pub text: String,
    /// Counts its revisions, from 1.
    pub version: u64,
    /// Whether a write must name the version that it replaces.
    pub cas_required: bool,
    /// When it was written.
    pub modified: Timestamp,
    /// When it stops to hold.
    pub expires: Option<Timestamp>,
}

impl Record for PolicyRecord {}

/// The policies of one namespace.
pub struct PolicyStore {
    records: View,
    namespace_id: Arc<str>,
    parsed: Kept<Source>,
    compiled: AclCache,
    metrics: Arc<Metrics>,
}

impl PolicyStore {
    /// The policies of a namespace.
    pub fn new(records: View, namespace_id: &str, metrics: Arc<Metrics>) -> Self {
        Self {
            records,
            namespace_id: namespace_id.into(),
            parsed: Kept::new(PARSED),
            compiled: AclCache::new(COMPILED),
            metrics,
        }
    }

    /// The policy `name`.
    pub async fn policy(&self, name: &PolicyName) -> Result<Option<PolicyRecord>> {
        self.records.get(name.as_str()).await
    }

    /// The policy `name`, which must be the same when `txn` is committed.
    pub async fn fetch(&self, name: &PolicyName, txn: &mut Txn) -> Result<Option<PolicyRecord>> {
        self.records.fetch(txn, name.as_str()).await
    }

    /// The names of all stored policies, sorted.
    pub async fn names(&self) -> Result<Vec<String>> {
        self.records.scan("").await
    }

    /// Writes a policy whose text was checked.
    pub fn write(&self, record: &PolicyRecord, txn: &mut Txn) -> Result<()> {
        self.records.put(txn, record.name.as_str(), record)?;
        self.parsed.forget_when_settled(txn, record.name.as_str());
        Ok(())
    }

    /// Writes the first revision of a policy.
    pub(super) fn write_new(&self, name: &str, text: &str, now: Timestamp, txn: &mut Txn) -> Result<()> {
        let name = PolicyName::parse(name).map_err(|error| Error::invalid(error.to_string()))?;
        let text = text.to_owned();
        self.write(&PolicyRecord { name, text, version: 1, cas_required: false, modified: now, expires: None }, txn)
    }

    /// Removes a policy.
    pub fn delete(&self, name: &PolicyName, txn: &mut Txn) -> Result<()> {
        self.records.delete(txn, name.as_str())?;
        self.parsed.forget_when_settled(txn, name.as_str());
        Ok(())
    }

    /// The compiled list of `caller`, asked from the namespace at `base` in this one.
    pub(super) async fn acl(&self, caller: &Caller, base: &str, now: Timestamp) -> Result<Arc<Acl>> {
        let (sources, facts) = self.basis(caller).await?;
        Ok(self.compiled.acl(&sources, &facts, base, now))
    }

    /// What the list of `caller` is compiled from.
    pub(super) async fn basis(&self, caller: &Caller) -> Result<(Vec<Source>, Arc<TemplateFacts>)> {
        let mut sources = Vec::with_capacity(caller.policies.len() + caller.identity_policies.len());
        for name in caller.policies.iter().chain(&caller.identity_policies) {
            let start = Instant::now();
            sources.extend(self.parsed.get_or_read(name, async || self.load(name).await).await?);
            self.metrics.work.policy_reads.since(start);
        }
        Ok((sources, caller.identity.clone()))
    }

    async fn load(&self, name: &str) -> Result<Option<Source>> {
        let Ok(name) = PolicyName::parse(name) else { return Ok(None) };
        let (policy, expires) = if name.is_root() {
            (Policy::root(), None)
        } else if name == PolicyName::response_wrapping() {
            (parsed(name, RESPONSE_WRAPPING_POLICY)?, None)
        } else {
            let Some(record) = self.policy(&name).await? else { return Ok(None) };
            (parsed(name, &record.text)?, record.expires)
        };
        Ok(Some(Source { namespace_id: self.namespace_id.clone(), policy: Arc::new(policy), expires }))
    }
}

fn parsed(name: PolicyName, text: &str) -> Result<Policy> {
    Policy::parse(name, text).map_err(|error| Error::corrupt("a stored policy cannot be read").with_source(error))
}

impl fmt::Debug for PolicyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyStore").field("namespace_id", &self.namespace_id).finish_non_exhaustive()
    }
}
