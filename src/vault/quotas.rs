//! `QuotaStore`: the quotas as they are stored, and those in force.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::barrier::{Record, Txn, View};
use crate::error::{Error, Kind, Result};
use crate::lease::{Census, Counted};
use crate::quota::{LeaseLimit, LeaseLimits, QuotaConfig, RateLimit, RateLimits, Scope};

use super::core::Core;

/// All quotas, in one record: that no two of a type are for the same is decided in one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quotas {
    /// What holds for all rate limits.
    pub config: QuotaConfig,
    /// By name.
    pub rate_limits: BTreeMap<String, RateLimit>,
    /// By name.
    #[serde(default)]
    pub lease_limits: BTreeMap<String, LeaseLimit>,
}

impl Record for Quotas {}

impl Quotas {
    /// What every quota is for, of either type.
    fn scopes(&mut self) -> impl Iterator<Item = &mut Scope> {
        let leases = self.lease_limits.values_mut().map(|limit| &mut limit.scope);
        self.rate_limits.values_mut().map(|limit| &mut limit.scope).chain(leases)
    }
}

/// The quotas as they are stored, and those in force.
#[derive(Debug)]
pub struct QuotaStore {
    records: View,
    rates: Arc<RateLimits>,
    leases: LeaseLimits,
    /// Lease-count quotas change one at a time: what is in force is what was stored last.
    changing: tokio::sync::Mutex<()>,
}

impl QuotaStore {
    const KEY: &'static str = "quotas";

    /// Reads what is stored. The leases are not counted yet.
    pub(super) async fn open(records: View) -> Result<Self> {
        let stored: Quotas = records.get(Self::KEY).await?.unwrap_or_default();
        let rates = RateLimits::new(stored.config, stored.rate_limits.into_values().collect());
        Ok(Self {
            records,
            rates: Arc::new(rates),
            leases: LeaseLimits::default(),
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// The rate limits in force.
    pub fn rates(&self) -> &Arc<RateLimits> {
        &self.rates
    }

    /// The lease-count quotas in force.
    pub fn leases(&self) -> &LeaseLimits {
        &self.leases
    }

    /// What is stored.
    pub async fn stored(&self) -> Result<Quotas> {
        Ok(self.records.get(Self::KEY).await?.unwrap_or_default())
    }

    /// What is stored, which must be the same when `txn` is committed.
    pub async fn fetch(&self, txn: &mut Txn) -> Result<Quotas> {
        Ok(self.records.fetch(txn, Self::KEY).await?.unwrap_or_default())
    }

    /// Replaces what is stored. The change goes into `txn`, and that of rate limits is in force once it is committed;
    /// lease-count quotas are changed with [`Core::change_quotas`].
    pub fn write(&self, quotas: Quotas, txn: &mut Txn) -> Result<()> {
        self.records.put(txn, Self::KEY, &quotas)?;
        let rates = self.rates.clone();
        txn.on_commit(move || rates.replace(quotas.config, quotas.rate_limits.into_values().collect()));
        Ok(())
    }
}

impl Core {
    /// Changes quotas of either type. They are in force, and the leases counted, when this returns.
    pub async fn change_quotas(&self, change: impl Fn(&mut Quotas) -> Result<()> + Send) -> Result<()> {
        let _changing = self.quotas.changing.lock().await;
        loop {
            let mut txn = Txn::new();
            let mut quotas = self.quotas.fetch(&mut txn).await?;
            change(&mut quotas)?;
            let limits = quotas.lease_limits.values().cloned().collect();
            self.quotas.write(quotas, &mut txn)?;
            match self.commit(txn).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                Err(error) => return Err(error),
                Ok(()) => return self.enforce(limits).await,
            }
        }
    }

    /// Puts the stored lease-count quotas in force: counts the leases.
    pub(super) async fn enforce_lease_limits(&self) -> Result<()> {
        let _changing = self.quotas.changing.lock().await;
        self.enforce(self.quotas.stored().await?.lease_limits.into_values().collect()).await
    }

    /// Removes the quotas of a namespace or of a mount that goes.
    pub(super) async fn drop_quotas(&self, place: &str) -> Result<()> {
        if !self.quotas.stored().await?.scopes().any(|scope| scope.lies_in(place)) {
            return Ok(());
        }
        self.change_quotas(|quotas| {
            quotas.rate_limits.retain(|_, limit| !limit.scope.lies_in(place));
            quotas.lease_limits.retain(|_, limit| !limit.scope.lies_in(place));
            Ok(())
        })
        .await
    }

    /// Lets the quotas of a mount that moves go with it.
    pub(super) async fn move_quotas(&self, from: &str, to: &str) -> Result<()> {
        if !self.quotas.stored().await?.scopes().any(|scope| scope.lies_in(from)) {
            return Ok(());
        }
        self.change_quotas(|quotas| {
            for scope in quotas.scopes() {
                if let Some(rest) = scope.path.strip_prefix(from) {
                    scope.path = format!("{to}{rest}");
                }
            }
            Ok(())
        })
        .await
    }

    async fn enforce(&self, limits: Vec<LeaseLimit>) -> Result<()> {
        if self.quotas.leases.adopt(&limits) {
            return Ok(());
        }
        let mut census = self.quotas.leases.census(limits).await;
        for unsealed in self.namespaces.known() {
            let namespace = unsealed.namespace.path.as_str();
            for id in unsealed.leases.below("").await? {
                let role = if census.asks_role(&id, namespace) {
                    unsealed.leases.lease(&id).await?.map(|lease| lease.role).unwrap_or_default()
                } else {
                    String::new()
                };
                census.add(&id, namespace, &role);
            }
        }
        census.finish().await;
        Ok(())
    }
}

/// Counts the leases of one namespace.
#[derive(Debug)]
pub(super) struct NamespaceCensus {
    /// The quotas.
    pub(super) limits: LeaseLimits,
    /// The path of the namespace.
    pub(super) namespace: Arc<str>,
}

impl Census for NamespaceCensus {
    fn begin(&self, id: &str, role: &str, forced: bool) -> Result<Counted> {
        let change = self.limits.begin(id, &self.namespace, role, forced).ok_or_else(|| {
            let path = id.rsplit_once('/').map_or(id, |(path, _)| path);
            let path = format!("{}{path}", self.namespace);
            Error::new(Kind::RateLimited, format!("request path {path:?}: lease count quota exceeded"))
        })?;
        Ok(Box::new(move || change.commit()))
    }

    fn end(&self, id: &str, role: &str) -> Counted {
        let change = self.limits.end(id, &self.namespace, role);
        Box::new(move || change.commit())
    }
}
