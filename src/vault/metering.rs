//! The state of a vault as metrics: what is cheap to tell is told when it is asked for, what has to be counted is counted
//! in the background.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::Role;
use crate::engines::kv;
use crate::error::{Kind, Result};
use crate::metrics::{Labels, MountMeters, Page};

use super::core::Core;
use super::mounting::is_versioned;
use super::unsealed::Unsealed;
use super::{Parts, Vault};

/// How long the count rests, at least.
const PAUSE: Duration = Duration::from_secs(10);
/// How much longer it rests than it took: counting costs at most a hundredth of one core, however much there is.
const REST: u32 = 100;
/// How often every lease is read.
const THOROUGH: Duration = Duration::from_mins(10);

/// What was counted of what is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    leases: u64,
    overdue: u64,
    irrevocable: u64,
    tokens: u64,
    entities: u64,
    /// Secrets of `kv` by namespace and mount, of as many mounts as have labels.
    secrets: BTreeMap<(String, String), u64>,
}

/// The newest tally.
#[derive(Debug, Default)]
pub(super) struct Tallied(Mutex<Option<Tally>>);

impl Vault {
    /// All metrics, sealed or not.
    pub fn metrics(&self) -> Page {
        match self.unsealed() {
            Ok(unsealed) => unsealed.core.metrics(),
            Err(_) => page(self.parts(), None),
        }
    }
}

impl Core {
    /// All metrics.
    pub fn metrics(&self) -> Page {
        let mut page = page(&self.parts, Some(&self.cluster.name));
        let cluster = vec![("cluster", self.cluster.name.clone())];
        let in_flight = number(self.in_flight.count());
        page.gauge("vault.core.in_flight_requests", "Requests that are being answered", cluster, in_flight);
        self.show(&mut page, &self.cluster.name);
        page
    }

    /// Counts what is stored, over and over.
    pub(super) async fn tally(&self) -> Result<()> {
        let mut thorough: Option<Instant> = None;
        loop {
            let start = Instant::now();
            let is_thorough = thorough.is_none_or(|last| last.elapsed() >= THOROUGH);
            match self.count(is_thorough).await {
                Ok(tally) => *self.tallied.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(tally),
                Err(error) if error.kind() == Kind::Sealed => return Ok(()),
                Err(error) => tracing::warn!(%error, "what is stored could not be counted; it is tried again"),
            }
            if is_thorough {
                thorough = Some(Instant::now());
            }
            tokio::time::sleep(PAUSE.max(start.elapsed().saturating_mul(REST))).await;
        }
    }

    async fn count(&self, is_thorough: bool) -> Result<Tally> {
        let before = self.tallied.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut tally = Tally { tokens: self.tokens.count().await?, ..Tally::default() };
        for unsealed in self.namespaces.all() {
            let leases = unsealed.leases.tally().await?;
            tally.leases += leases.leases;
            tally.overdue += leases.overdue;
            tally.entities += u64::try_from(unsealed.identity.count_entities().await?).unwrap_or_default();
            if is_thorough {
                tally.irrevocable += unsealed.leases.count_irrevocable().await?;
            }
            unsealed.count_secrets(&mut tally.secrets).await?;
        }
        if !is_thorough {
            tally.irrevocable = before.map_or(0, |before| before.irrevocable);
        }
        Ok(tally)
    }

    fn show(&self, page: &mut Page, cluster: &str) {
        self.show_mounts(page, cluster);
        let devices = number(self.audit.devices().len());
        page.gauge("arca.audit_devices", "Audit devices that are enabled", Labels::new(), devices);
        self.show_sinks(page);
        let help = "Encryptions under the newest key of the keyring";
        if let Ok(status) = self.barrier.key_status() {
            let term = vec![("term", status.term.to_string())];
            page.total("vault.barrier.estimated_encryptions", help, term, float(status.encryptions));
        }
        if let Some(last) = self.last_check() {
            let help = "What the newest check of the store found wrong";
            page.gauge("arca.check_faults", help, Labels::new(), float(last.faults()));
            let time = last.time.and_then(|time| u64::try_from(time.unix_seconds()).ok()).unwrap_or_default();
            let help = "When the newest check of the store began, in seconds since 1970";
            page.gauge("arca.check_time_seconds", help, Labels::new(), float(time));
        }
        let tally = self.tallied.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(Tally { leases, overdue, irrevocable, tokens, entities, secrets }) = tally else { return };
        let help = "Leases, those of tokens among them";
        page.gauge("vault.expire.num_leases", help, Labels::new(), float(leases));
        let help = "Leases that were tried to be revoked in vain for so long that an operator should look";
        page.gauge("vault.expire.num_irrevocable_leases", help, Labels::new(), float(irrevocable));
        let help = "Leases that should have ended more than a minute ago";
        page.gauge("arca.leases_overdue", help, Labels::new(), float(overdue));
        page.gauge("vault.token.count", "Service tokens that are stored", Labels::new(), float(tokens));
        page.gauge("vault.identity.num_entities", "Entities", Labels::new(), float(entities));
        for ((namespace, mount), count) in secrets {
            let labels =
                vec![("cluster", cluster.to_owned()), ("mount_point", mount), ("namespace", shown(&namespace))];
            page.gauge("vault.secret.kv.count", "Secrets in a mount of key-value secrets", labels, float(count));
        }
    }

    /// How far the audit devices are whose lines go to other machines.
    fn show_sinks(&self, page: &mut Page) {
        for (device, state) in self.audit.sink_states() {
            let labels = || vec![("device", device.clone())];
            let help = "Bytes of the audit log that the other side has not taken yet";
            page.gauge("arca.audit_spool_bytes", help, labels(), float(state.spool_bytes));
            let help = "Lines of the audit log that the other side has not taken yet";
            page.gauge("arca.audit_spool_lines", help, labels(), float(state.spool_lines));
            let help = "Whether the last attempt to send audit lines succeeded";
            page.gauge("arca.audit_sink_connected", help, labels(), f64::from(u8::from(state.connected)));
            let help = "Audit entries that a full spool did not take; the log says how many";
            page.total("arca.audit_dropped_total", help, labels(), float(state.dropped));
            let help = "Audit lines that the other side will never take; they are in the spool's refused.log";
            page.total("arca.audit_refused_total", help, labels(), float(state.refused));
        }
    }

    fn show_mounts(&self, page: &mut Page, cluster: &str) {
        let namespaces = self.namespaces.all();
        page.gauge("arca.namespaces", "Namespaces, the root among them", Labels::new(), number(namespaces.len()));
        let mut mounts: BTreeMap<(&str, bool), usize> =
            [("auth", false), ("auth", true), ("logical", false), ("logical", true)].map(|key| (key, 0)).into();
        for point in namespaces.iter().flat_map(|unsealed| unsealed.mounts.serving()) {
            let table = match point.entry.role {
                Role::Secret => "logical",
                Role::Auth => "auth",
            };
            *mounts.entry((table, point.entry.local)).or_default() += 1;
        }
        for ((table, local), count) in mounts {
            let labels =
                vec![("cluster", cluster.to_owned()), ("local", local.to_string()), ("type", table.to_owned())];
            page.gauge("vault.core.mount_table.num_entries", "Mounts", labels, number(count));
        }
        let locked: usize =
            namespaces.iter().flat_map(|unsealed| unsealed.locked_users(None)).map(|locked| locked.users.len()).sum();
        page.gauge("vault.core.locked_users", "Users that are locked out", Labels::new(), number(locked));
    }
}

impl Unsealed {
    async fn count_secrets(&self, counts: &mut BTreeMap<(String, String), u64>) -> Result<()> {
        for point in self.mounts.serving() {
            if counts.len() >= MountMeters::MOST {
                return Ok(());
            }
            if point.entry.role == Role::Secret && point.entry.kind == "kv" {
                let view = self.view(&format!("mount/{}", point.entry.uuid));
                let count = kv::count(&view, is_versioned(&point.entry)).await?;
                counts.insert((self.namespace.path.clone(), point.entry.path.clone()), count);
            }
        }
        Ok(())
    }
}

/// What is shown whether or not there is anything unsealed.
fn page(parts: &Parts, cluster: Option<&str>) -> Page {
    let mut page = parts.metrics.page();
    let by_cluster = || vec![("cluster", cluster.unwrap_or_default().to_owned())];
    let is_open = f64::from(u8::from(cluster.is_some()));
    page.gauge("vault.core.unsealed", "Whether the vault is unsealed", by_cluster(), is_open);
    page.gauge("vault.core.active", "Whether this node serves requests", by_cluster(), is_open);
    let build = vec![("version", env!("CARGO_PKG_VERSION").to_owned()), ("storage", parts.storage.kind().to_owned())];
    page.gauge("arca.build_info", "What this server is; always 1", build, 1.0);
    page
}

/// The namespace as labels name it.
fn shown(namespace: &str) -> String {
    if namespace.is_empty() { "root".to_owned() } else { namespace.to_owned() }
}

fn number(count: usize) -> f64 {
    float(u64::try_from(count).unwrap_or(u64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people: 53 bits of it are enough")]
fn float(count: u64) -> f64 {
    count as f64
}
