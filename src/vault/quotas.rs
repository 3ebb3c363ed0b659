//! `QuotaStore`: the rate limits as they are stored, and those in force.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::barrier::{Record, Txn, View};
use crate::error::Result;
use crate::quota::{QuotaConfig, RateLimit, RateLimits};

/// All rate limits, in one record: that no two of them are for the same path is decided in one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quotas {
    /// What holds for all of them.
    pub config: QuotaConfig,
    /// By name.
    pub rate_limits: BTreeMap<String, RateLimit>,
}

impl Record for Quotas {}

/// The rate limits as they are stored, and those in force.
#[derive(Debug)]
pub struct QuotaStore {
    records: View,
    limits: Arc<RateLimits>,
}

impl QuotaStore {
    const KEY: &'static str = "quotas";

    /// Reads what is stored.
    pub(super) async fn open(records: View) -> Result<Self> {
        let stored: Quotas = records.get(Self::KEY).await?.unwrap_or_default();
        let limits = RateLimits::new(stored.config, stored.rate_limits.into_values().collect());
        Ok(Self { records, limits: Arc::new(limits) })
    }

    /// Those in force.
    pub fn limits(&self) -> &Arc<RateLimits> {
        &self.limits
    }

    /// What is stored.
    pub async fn stored(&self) -> Result<Quotas> {
        Ok(self.records.get(Self::KEY).await?.unwrap_or_default())
    }

    /// What is stored, which must be the same when `txn` is committed.
    pub async fn fetch(&self, txn: &mut Txn) -> Result<Quotas> {
        Ok(self.records.fetch(txn, Self::KEY).await?.unwrap_or_default())
    }

    /// Replaces what is stored. The change goes into `txn`, and is in force once it is committed.
    pub fn write(&self, quotas: Quotas, txn: &mut Txn) -> Result<()> {
        self.records.put(txn, Self::KEY, &quotas)?;
        let limits = self.limits.clone();
        txn.on_commit(move || limits.replace(quotas.config, quotas.rate_limits.into_values().collect()));
        Ok(())
    }
}
