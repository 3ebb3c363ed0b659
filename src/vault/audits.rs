//! The audit devices of a vault: what is on record of each, and the key that its log is signed with.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::api::ROOT_NAMESPACE;
use crate::audit::{AuditBroker, DeviceConfig, Entry, Identity, RequestFacts};
use crate::barrier::{Barrier, Record, Scope, Txn, View};
use crate::chain::{LineHash, Link, NodeId, SigningKey, VerifyingKey};
use crate::error::{Error, Result};
use crate::secret::{AuditKey, SecretBytes};

use super::Parts;
use super::core::Core;
use super::settings::DeclaredAudit;

/// An audit device as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Its path, with a slash at its end.
    pub path: String,
    /// Its type: `file`, `http`, `socket` or `syslog`.
    pub kind: String,
    /// What its operator says about it.
    pub description: String,
    /// Its options.
    pub options: BTreeMap<String, String>,
    /// Whether it is one of the configuration file.
    pub declared: bool,
    /// The key that it hashes strings with, in base64.
    key: Zeroizing<String>,
    /// The last line that is on record: a log that ends before it was cut.
    recorded: Option<Recorded>,
}

impl Record for AuditRecord {}

#[derive(Debug, Serialize, Deserialize)]
struct Recorded {
    seq: u64,
    hash: String,
}

/// The name of this node in its logs, and the key that it signs them with.
#[derive(Debug, Serialize, Deserialize)]
struct AuditNode {
    node: String,
    signing_key: Zeroizing<String>,
}

impl Record for AuditNode {}

impl AuditNode {
    /// Its key in the scope `core` of the root namespace.
    const KEY: &'static str = "audit-node";

    fn key(&self) -> Result<SigningKey> {
        let pkcs8 = BASE64.decode(self.signing_key.as_bytes());
        let pkcs8 = pkcs8.map_err(|_| Error::corrupt("the audit log's signing key is damaged"))?;
        SigningKey::from_pkcs8(&SecretBytes::new(pkcs8))
    }
}

/// The public half of the key that the audit logs of the vault behind `barrier` are signed with; nothing before it was
/// unsealed for the first time.
pub(super) async fn verifying_key(barrier: &Arc<Barrier>) -> Result<Option<VerifyingKey>> {
    let node = barrier.view(Scope::new(ROOT_NAMESPACE, "core")).get::<AuditNode>(AuditNode::KEY).await?;
    node.map(|node| node.key().map(|key| key.verifying_key())).transpose()
}

impl AuditRecord {
    fn new(path: &str, kind: &str, parts: &Parts) -> Result<Self> {
        let key = AuditKey::generate(&*parts.entropy)?;
        Ok(Self {
            path: path.to_owned(),
            kind: kind.to_owned(),
            description: String::new(),
            options: BTreeMap::new(),
            declared: false,
            key: Zeroizing::new(BASE64.encode(key.expose())),
            recorded: None,
        })
    }

    fn key(&self) -> Result<AuditKey> {
        let bytes = BASE64.decode(self.key.as_bytes()).map_err(|_| Error::corrupt("an audit key is damaged"))?;
        AuditKey::from_slice(&Zeroizing::new(bytes))
    }

    fn config(&self) -> DeviceConfig {
        DeviceConfig {
            path: self.path.clone(),
            kind: self.kind.clone(),
            description: self.description.clone(),
            options: self.options.clone(),
            local: false,
        }
    }

    fn link(&self) -> Option<Link> {
        let recorded = self.recorded.as_ref()?;
        Some(Link { seq: recorded.seq, hash: LineHash::parse(recorded.hash.as_bytes())? })
    }

    /// Its key in the store: a path may have slashes, a key's last segment may not end in one.
    fn store_key(path: &str) -> String {
        HEXLOWER.encode(path.as_bytes())
    }
}

/// A broker whose log is signed with the key of this vault, which is made if there is none; and that key.
pub(super) async fn broker(parts: &Parts, barrier: &Arc<Barrier>) -> Result<(AuditBroker, Arc<SigningKey>)> {
    let core = barrier.view(Scope::new(ROOT_NAMESPACE, "core"));
    let stored = core.get::<AuditNode>(AuditNode::KEY).await?;
    let node = if let Some(node) = stored {
        node
    } else {
        let node = AuditNode {
            node: format!("arca-{}", parts.entropy.base62(8)?),
            signing_key: Zeroizing::new(BASE64.encode(&SigningKey::generate(&*parts.entropy)?)),
        };
        let mut txn = Txn::new();
        core.insert(&mut txn, AuditNode::KEY, &node)?;
        core.commit(txn).await?;
        node
    };
    let key = Arc::new(node.key()?);
    let name = NodeId::new(node.node).map_err(|_| Error::corrupt("the name of the audit node is damaged"))?;
    let identity = Identity {
        node: name,
        key: key.clone(),
        clock: parts.clock.clone(),
        entropy: parts.entropy.clone(),
        spools: parts.settings.spools.clone(),
    };
    Ok((AuditBroker::new(identity), key))
}

impl Core {
    /// Opens the audit entry of a request.
    pub fn open_entry(&self, facts: &RequestFacts<'_>) -> Entry {
        self.audit.open(facts)
    }

    /// Opens every device: those of the configuration file, then those that were enabled through the API. One that
    /// cannot be opened keeps the vault sealed: nothing is to happen that is not on record.
    pub(super) async fn open_audit_devices(&self) -> Result<()> {
        let records = self.audit_records();
        let mut opened = Vec::new();
        for declared in &self.parts.settings.audit {
            opened.push(self.declared_record(&records, declared).await?);
        }
        for record in self.audit_devices().await? {
            let is_current =
                !record.declared || self.parts.settings.audit.iter().any(|declared| declared.path == record.path);
            if is_current && !opened.iter().any(|device| device.path == record.path) {
                opened.push(record);
            }
        }
        // One that takes every entry has to be there before one with a filter.
        opened.sort_by_key(|record| record.config().is_filtered());
        for record in &opened {
            self.open_device(record).await?;
        }
        Ok(())
    }

    /// Every device on record.
    pub async fn audit_devices(&self) -> Result<Vec<AuditRecord>> {
        let records = self.audit_records();
        let mut found = Vec::new();
        for name in records.list("", crate::storage::Page::all()).await? {
            found.extend(records.get::<AuditRecord>(&name).await?);
        }
        found.sort_by(|a: &AuditRecord, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Enables a device through the API, if the configuration lets anyone do so.
    pub async fn enable_audit(
        &self,
        path: &str,
        kind: &str,
        description: String,
        options: BTreeMap<String, String>,
    ) -> Result<()> {
        if !self.parts.settings.allow_api_audit {
            return Err(Error::invalid(
                "cannot enable audit device via API; use declarative, config-based audit device management instead",
            ));
        }
        let _changing = self.changing.lock().await;
        let path = format!("{}/", path.trim_matches('/'));
        let mut record = AuditRecord::new(&path, kind, &self.parts)?;
        record.description = description;
        record.options = options;
        self.open_device(&record).await?;
        let mut txn = Txn::new();
        self.audit_records().put(&mut txn, &AuditRecord::store_key(&path), &record)?;
        let committed = self.commit(txn).await;
        if committed.is_err()
            && let Err(error) = self.audit.disable(&path).await
        {
            tracing::error!(device = %path, %error, "an audit device that could not be put on record could not be closed");
        }
        committed
    }

    /// Disables a device. One of the configuration file is disabled there; one that is not there is a success.
    pub async fn disable_audit(&self, path: &str) -> Result<()> {
        let _changing = self.changing.lock().await;
        let path = format!("{}/", path.trim_matches('/'));
        let key = AuditRecord::store_key(&path);
        let Some(record) = self.audit_records().get::<AuditRecord>(&key).await? else { return Ok(()) };
        if record.declared && self.parts.settings.audit.iter().any(|declared| declared.path == path) {
            return Err(Error::invalid(
                "cannot disable this audit device via API; it is declared in the configuration file: remove it there",
            ));
        }
        self.audit.check_disabling(&path)?;
        // Off the record first: should that fail, the device goes on, as the record says.
        let mut txn = Txn::new();
        self.audit_records().delete(&mut txn, &key)?;
        self.commit(txn).await?;
        self.audit.disable(&path).await.map(|_| ())
    }

    /// Puts on record how far each log has come, so that one that is cut behind this line is found out.
    pub(super) async fn record_audit_positions(&self) -> Result<()> {
        let records = self.audit_records();
        for (path, link) in self.audit.positions().await {
            let key = AuditRecord::store_key(&path);
            let mut txn = Txn::new();
            let Some(mut record) = records.fetch::<AuditRecord>(&mut txn, &key).await? else { continue };
            if record.recorded.as_ref().is_some_and(|recorded| recorded.seq == link.seq) {
                continue;
            }
            record.recorded = Some(Recorded { seq: link.seq, hash: link.hash.to_string() });
            records.put(&mut txn, &key, &record)?;
            self.commit(txn).await?;
        }
        Ok(())
    }

    async fn declared_record(&self, records: &View, declared: &DeclaredAudit) -> Result<AuditRecord> {
        let DeclaredAudit { kind, path, description, options } = declared;
        let key = AuditRecord::store_key(path);
        let stored = records.get::<AuditRecord>(&key).await?.filter(|record| record.kind == *kind);
        let mut record = match stored {
            // Nothing is written then: a vault on a full disk can be unsealed.
            Some(record) if record.declared && record.description == *description && record.options == *options => {
                return Ok(record);
            }
            Some(record) => record,
            None => AuditRecord::new(path, kind, &self.parts)?,
        };
        record.declared = true;
        record.description.clone_from(description);
        record.options.clone_from(options);
        let mut txn = Txn::new();
        records.put(&mut txn, &key, &record)?;
        self.commit(txn).await?;
        Ok(record)
    }

    async fn open_device(&self, record: &AuditRecord) -> Result<()> {
        self.audit.enable(record.config(), &record.key()?, record.link(), &*self.parts.entropy).await
    }

    fn audit_records(&self) -> View {
        self.view("audit")
    }
}
