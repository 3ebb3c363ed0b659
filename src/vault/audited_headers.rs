//! Which headers of requests go to the audit log.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::barrier::{Record, Txn, View};
use crate::error::{Error, Result};

/// Headers that carry what gives access: they are never written, hashed or not.
const CREDENTIALS: [&str; 3] = ["authorization", "cookie", "x-vault-token"];
const KEY: &str = "audited-headers";

/// Whether the values of each header are hashed, by its name in lower case.
pub type HeaderRules = BTreeMap<String, bool>;

/// Which headers of requests go to the audit log.
#[derive(Debug)]
pub struct AuditedHeaders {
    records: View,
    current: Arc<RwLock<Arc<HeaderRules>>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Stored(HeaderRules);

impl Record for Stored {}

impl AuditedHeaders {
    /// The headers that are on record in `records`.
    pub(super) async fn load(records: View) -> Result<Self> {
        let Stored(rules) = records.get(KEY).await?.unwrap_or_default();
        Ok(Self { records, current: Arc::new(RwLock::new(Arc::new(rules))) })
    }

    /// All of them.
    pub fn rules(&self) -> Arc<HeaderRules> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has the header `name` (in lower case) written, its values hashed or plain.
    pub async fn write(&self, name: &str, hashed: bool, txn: &mut Txn) -> Result<()> {
        if CREDENTIALS.contains(&name) {
            return Err(Error::invalid("this header carries what gives access; it is never written to the audit log"));
        }
        self.change(txn, |rules| rules.insert(name.to_owned(), hashed)).await
    }

    /// Has the header `name` (in lower case) written no more.
    pub async fn remove(&self, name: &str, txn: &mut Txn) -> Result<()> {
        self.change(txn, |rules| rules.remove(name)).await
    }

    async fn change(&self, txn: &mut Txn, change: impl FnOnce(&mut HeaderRules) -> Option<bool> + Send) -> Result<()> {
        let Stored(mut rules) = self.records.fetch(txn, KEY).await?.unwrap_or_default();
        change(&mut rules);
        let rules = Stored(rules);
        self.records.put(txn, KEY, &rules)?;
        let current = self.current.clone();
        txn.on_commit(move || *current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules.0));
        Ok(())
    }
}
