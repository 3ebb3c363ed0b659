//! Looking at every record of a store: what can be read, what is authentic, and what belongs to what.

mod ledger;
mod report;
mod scheduled;

pub use report::{CheckReport, Fault, Finding};
pub(super) use scheduled::{LastCheck, refuse_unsound};

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Deserialize;
use tokio::runtime::Handle;

use crate::api::ROOT_NAMESPACE;
use crate::barrier::{Barrier, Count, KEYRING, LEDGER, Scope, is_ciphertext};
use crate::error::{Error, Result};
use crate::lease::Lease;
use crate::secret::SecretBytes;
use crate::storage::{Digest, Key, Snapshot, Storage, StorageError, Stored};
use crate::time::Timestamp;

use super::accepting::Acceptances;
use super::audits;
use super::checkpoint::{Checkpoint, History};
use super::cluster::Cluster;
use super::sealing::SealRecord;

/// Is told of so many records and bytes, and says whether to go on.
type Progress<'a> = dyn FnMut(u64, u64) -> ControlFlow<()> + 'a;

/// A check of a store.
#[derive(Debug)]
pub struct Check {
    /// The store. Others may write to it meanwhile.
    pub storage: Arc<dyn Storage>,
    /// What opens its records; nothing where there are no keys: then only their form is looked at.
    pub barrier: Option<Arc<Barrier>>,
    /// What is known of how far it has come.
    pub checkpoint: Option<Checkpoint>,
    /// What time it is.
    pub now: Timestamp,
}

impl Check {
    /// Looks at every record. Blocks the thread, and asks `runtime` for what has to be looked up. `progress` is told how
    /// many records and bytes were looked at, and may break the check off, as sealing does.
    pub fn run(self, runtime: &Handle, progress: &mut Progress<'_>) -> Result<CheckReport> {
        let (mut snapshot, unreadable) = match self.storage.reread() {
            Ok(snapshot) => (snapshot, None),
            // What is in memory may be all that is left.
            Err(StorageError::Damaged(why)) => (self.storage.snapshot()?, Some(why)),
            Err(error) => return Err(error.into()),
        };
        let generation = snapshot.generation();
        // After the snapshot: the keys must be as new as what they are to open.
        let count = self.barrier.as_ref().map(|barrier| barrier.count()).transpose()?;
        let mut walk = Walk { check: &self, runtime, report: CheckReport::default(), mount: String::new(), count };
        walk.report.time = Some(self.now);
        walk.report.lineage = generation.lineage.to_string();
        walk.report.generation = generation.number;
        walk.report.opened = self.barrier.is_some();
        if let Some(why) = unreadable {
            let detail = format!(
                "the files of the store cannot be read any more ({why}); what the server still has in memory was looked at in \
                 their place. Take a backup before you stop it"
            );
            walk.report.find(Fault::Unreadable, String::new(), detail);
        }
        walk.read(&mut *snapshot, progress)?;
        drop(snapshot);
        walk.essentials()?;
        let Walk { mut report, count, .. } = walk;
        if let Some(count) = count {
            report.account(count.balance());
        }
        if let Some(barrier) = &self.barrier {
            // Where it does not open, that was found already.
            let acceptances = runtime.block_on(Acceptances::load(barrier)).unwrap_or_default();
            report.accepted = acceptances.list.iter().map(ToString::to_string).collect();
        }
        let history = runtime.block_on(self.history())?;
        let restorations = history.iter().flat_map(|history| &history.restorations().list);
        report.restored = restorations.map(ToString::to_string).collect();
        let compared = self.checkpoint.as_ref().map(|checkpoint| checkpoint.compare(generation, history.as_ref()));
        if let Some(Err(regress)) = compared {
            report.find(Fault::RolledBack, String::new(), regress.to_string());
        }
        report.sound = report.findings.is_empty();
        Ok(report)
    }

    async fn history(&self) -> Result<Option<History>> {
        let Some(barrier) = &self.barrier else { return Ok(None) };
        match audits::verifying_key(barrier).await? {
            Some(key) => History::load(barrier, key).await.map(Some),
            None => Ok(None),
        }
    }
}

/// A check on its way.
struct Walk<'a> {
    check: &'a Check,
    runtime: &'a Handle,
    report: CheckReport,
    /// The namespace and the id of the mount whose records were looked at last.
    mount: String,
    /// The records so far, to be compared with the ledger; nothing without keys, and once one could not be read.
    count: Option<Count>,
}

/// A record as the snapshot has it.
struct Found {
    key: Key,
    digest: Digest,
}

/// An entry of an index of leases.
#[derive(Deserialize)]
struct LeasePointer {
    lease_id: String,
    #[serde(default)]
    namespace_id: Option<String>,
}

/// An entry of an index of tokens.
#[derive(Deserialize)]
struct TokenPointer {
    id: String,
}

impl Walk<'_> {
    fn read(&mut self, snapshot: &mut dyn Snapshot, progress: &mut Progress<'_>) -> Result<()> {
        let mut last = String::new();
        loop {
            let page = match snapshot.next_page() {
                Ok(page) => page,
                // That is no damage.
                Err(error @ StorageError::Overtaken) => return Err(error.into()),
                Err(error) => self.skip(snapshot, &last, &error),
            };
            if page.is_empty() {
                return Ok(());
            }
            for stored in page {
                stored.key.as_str().clone_into(&mut last);
                self.record(stored)?;
            }
            if progress(self.report.records, self.report.bytes).is_break() {
                return Err(Error::sealed());
            }
        }
    }

    /// The first page behind a region that cannot be read: behind the folder of `last`, else behind the folder of that, and
    /// so on. Empty if nothing behind it can be read.
    fn skip(&mut self, snapshot: &mut dyn Snapshot, last: &str, error: &StorageError) -> Vec<Stored> {
        let mut folder = last;
        let behind = loop {
            let Some((above, _)) = folder.rsplit_once('/') else { break Vec::new() };
            folder = above;
            snapshot.seek(&format!("{folder}/\u{10ffff}"));
            if let Ok(page) = snapshot.next_page() {
                break page;
            }
        };
        let region = match behind.first() {
            Some(Stored { key, .. }) => {
                format!("what is behind it and before {:?} cannot be read: {error}", key.as_str())
            }
            None => format!("what is behind it cannot be read: {error}"),
        };
        self.report.find(Fault::Unreadable, last.to_owned(), region);
        self.count = None;
        behind
    }

    fn record(&mut self, stored: Stored) -> Result<()> {
        let Stored { key, value } = stored;
        self.report.records += 1;
        let value = match value {
            Ok(value) => value,
            Err(error) => {
                self.report.find(Fault::Unreadable, key.as_str().to_owned(), error.to_string());
                self.count = None;
                return Ok(());
            }
        };
        self.report.bytes += (key.as_str().len() + value.len()) as u64;
        if let Some(count) = &mut self.count {
            count.take(&key, &value);
        }
        if key.as_str() == SealRecord::KEY {
            if serde_json::from_slice::<SealRecord>(&value).is_err() {
                self.report.find(Fault::Undecodable, key.as_str().to_owned(), "how the vault is sealed cannot be read");
            }
            return Ok(());
        }
        if !is_ciphertext(&value) {
            self.report.find(Fault::Unauthentic, key.as_str().to_owned(), "this is no ciphertext of the vault");
            return Ok(());
        }
        // The barrier would not be open if the one could not be read; whether the other can, comparing with it will tell.
        let is_apart = matches!(key.as_str(), KEYRING | LEDGER);
        let Some(barrier) = self.check.barrier.as_ref().filter(|_| !is_apart) else { return Ok(()) };
        let found = Found { key, digest: Digest::of(&value) };
        match barrier.open(found.key.as_str(), value) {
            Ok(plaintext) => {
                self.opened(&found, &plaintext);
                Ok(())
            }
            Err(error) if error.kind() == crate::error::Kind::Sealed => Err(error),
            Err(_) => {
                let detail = "it does not open: it is damaged, was altered, or was moved here from another key";
                self.report.find(Fault::Unauthentic, found.key.as_str().to_owned(), detail);
                Ok(())
            }
        }
    }

    fn opened(&mut self, found: &Found, plaintext: &SecretBytes) {
        let json = plaintext.split_first_chunk::<2>().map(|(_, json)| json);
        let is_json = |json: &&[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(json).is_ok();
        let Some(json) = json.filter(is_json) else {
            self.report.find(Fault::Undecodable, found.key.as_str().to_owned(), "it opens, and is no record");
            return;
        };
        let mut segments = found.key.as_str().splitn(5, '/');
        let mut segment = || segments.next().unwrap_or_default();
        let (_, namespace, area, part) = (segment(), segment(), segment(), segment());
        match (area, part) {
            ("lease", "due" | "owner") => self.lease_pointer(found, namespace, json),
            ("lease", "id") => self.lease(found, namespace, json),
            ("token", "accessor" | "child") => self.token_pointer(found, json),
            ("mount", uuid) => self.mount(found, namespace, uuid),
            _ => {}
        }
    }

    fn lease_pointer(&mut self, found: &Found, namespace: &str, json: &[u8]) {
        let Ok(LeasePointer { lease_id, namespace_id }) = serde_json::from_slice(json) else {
            return self.unknown(found);
        };
        let namespace = namespace_id.as_deref().unwrap_or(namespace);
        let lease = Scope::new(namespace, "lease/id").key(&lease_id);
        self.require(found, lease, Fault::Dangling, "the record of its lease is not there");
    }

    fn lease(&mut self, found: &Found, namespace: &str, json: &[u8]) {
        let Ok(lease) = serde_json::from_slice::<Lease>(json) else { return self.unknown(found) };
        let Some(due) = lease.due_key() else { return };
        let index = Scope::new(namespace, "lease/due").key(&due);
        self.require(found, index, Fault::Unindexed, "it is not in the index by which leases end");
    }

    fn token_pointer(&mut self, found: &Found, json: &[u8]) {
        let Ok(TokenPointer { id }) = serde_json::from_slice(json) else { return self.unknown(found) };
        let token = Scope::new(ROOT_NAMESPACE, "token/id").key(&id);
        self.require(found, token, Fault::Dangling, "the record of its token is not there");
    }

    fn mount(&mut self, found: &Found, namespace: &str, uuid: &str) {
        let mount = format!("{namespace}/{uuid}");
        if self.mount == mount {
            return;
        }
        self.mount = mount;
        let record = Scope::new(namespace, "mounts").key(uuid);
        self.require(found, record, Fault::Orphaned, "it and what follows it belong to a mount that is not there");
    }

    fn unknown(&mut self, found: &Found) {
        let detail = "it has not the form that records of its place have";
        self.report.find(Fault::Undecodable, found.key.as_str().to_owned(), detail);
    }

    /// Finds fault with a record unless there is something at `needed`. Both may have been changed since the snapshot: a
    /// record that is gone or another by now needs nothing.
    fn require(&mut self, found: &Found, needed: Result<Key>, fault: Fault, detail: &str) {
        let Ok(needed) = needed else { return self.unknown(found) };
        let now = |key: &Key| self.runtime.block_on(self.check.storage.get(key));
        // What cannot be read is found where it is read. The order counts: first what is needed, then who needs it.
        if !matches!(now(&needed), Ok(None)) {
            return;
        }
        let is_as_found = matches!(now(&found.key), Ok(Some(value)) if Digest::of(&value) == found.digest);
        if is_as_found {
            self.report.find(fault, found.key.as_str().to_owned(), detail);
        }
    }

    /// What every vault has.
    fn essentials(&mut self) -> Result<()> {
        if self.report.records == 0 {
            return Ok(());
        }
        let cluster = Scope::new(ROOT_NAMESPACE, "core").key(Cluster::KEY)?;
        for (key, what) in [
            (Key::new(SealRecord::KEY)?, "how the vault is sealed is not on record: no shares open it"),
            (Key::new(KEYRING)?, "the keyring is not there: nothing can be decrypted"),
            (cluster, "the record of the cluster is not there"),
        ] {
            if let Ok(None) = self.runtime.block_on(self.check.storage.get(&key)) {
                self.report.find(Fault::Missing, key.as_str().to_owned(), what);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
