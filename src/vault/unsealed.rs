//! `Unsealed`: everything that needs a key.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::audit::AuditBroker;
use crate::barrier::{Barrier, Scope, Txn, View};
use crate::chain::VerifyingKey;
use crate::engine::{Deps, Role};
use crate::error::{Error, Kind, Result};
use crate::lease::LeaseManager;
use crate::mount::{Backend, MountEntry, MountTable};
use crate::secret::RootKey;
use crate::token::TokenStore;

use super::audited_headers::AuditedHeaders;
use super::cluster::Cluster;
use super::cors::CorsStore;
use super::in_flight::InFlight;
use super::keys::KeyOperations;
use super::passwords::PasswordStore;
use super::policies::PolicyStore;
use super::quotas::QuotaStore;
use super::{Parts, Settings};

/// How often engines are asked to do what no request asks for.
const MAINTENANCE: Duration = Duration::from_secs(5);
/// How often the count of encryptions is written down.
const COUNTING: Duration = Duration::from_mins(1);
/// How long sealing waits for requests and background work to end, and for the audit logs to be closed, before it goes
/// on without them.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that needs a key. Dropped when the vault is sealed, after its background work has ended.
pub struct Unsealed {
    /// Encrypts everything.
    pub barrier: Arc<Barrier>,
    /// Which mount a path belongs to.
    pub mounts: MountTable,
    /// The tokens.
    pub tokens: TokenStore,
    /// The policies.
    pub policies: PolicyStore,
    /// The leases.
    pub leases: Arc<LeaseManager>,
    /// The audit devices.
    pub audit: AuditBroker,
    /// Which headers of requests they are told of.
    pub audited_headers: AuditedHeaders,
    /// The public half of the key that audit logs are signed with.
    pub audit_key: VerifyingKey,
    /// The password policies.
    pub passwords: Arc<PasswordStore>,
    /// The rate limits.
    pub quotas: QuotaStore,
    /// Which web pages may call the API.
    pub cors: CorsStore,
    /// The cluster's name and id.
    pub cluster: Cluster,
    /// Rekeying and the generation of root tokens, while they go on.
    pub key_operations: KeyOperations,
    /// The requests that are being answered.
    pub in_flight: InFlight,
    /// What engines get.
    pub deps: Deps,
    pub(super) root: RootKey,
    pub(super) parts: Parts,
    /// Mounts change one at a time.
    pub(super) mounting: tokio::sync::Mutex<()>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    seal_asked: CancellationToken,
}

impl Unsealed {
    /// Reads what is in the barrier, opens every mount and starts the background work.
    pub(super) async fn assemble(parts: &Parts, barrier: Arc<Barrier>, root: RootKey) -> Result<Arc<Self>> {
        let core = barrier.view(Scope::new("root", "core"));
        let cluster: Cluster =
            core.get(Cluster::KEY).await?.ok_or_else(|| Error::corrupt("the record of the cluster is missing"))?;
        let (entropy, clock) = (parts.entropy.clone(), parts.clock.clone());
        let passwords =
            Arc::new(PasswordStore::new(barrier.view(Scope::new("root", "password-policy")), parts.entropy.clone()));
        let (audit, audit_key) = super::audits::broker(parts, &barrier).await?;
        let unsealed = Arc::new(Self {
            audit,
            in_flight: InFlight::default(),
            audited_headers: AuditedHeaders::load(core.clone()).await?,
            audit_key,
            mounts: MountTable::new(barrier.view(Scope::new("root", "mounts")), "root", parts.settings.ttl),
            tokens: TokenStore::new(barrier.clone(), "root", &cluster.token_key()?, entropy.clone(), clock.clone()),
            policies: PolicyStore::new(barrier.view(Scope::new("root", "policy")), "root"),
            leases: Arc::new(LeaseManager::new(barrier.clone(), "root", entropy, clock)),
            deps: parts.deps(passwords.clone()),
            passwords,
            quotas: QuotaStore::open(barrier.view(Scope::new("root", "config"))).await?,
            cors: CorsStore::open(barrier.view(Scope::new("root", "config"))).await?,
            cluster,
            key_operations: KeyOperations::default(),
            root,
            parts: parts.clone(),
            mounting: tokio::sync::Mutex::default(),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            seal_asked: CancellationToken::new(),
            barrier,
        });
        unsealed.open_audit_devices().await?;
        unsealed.open_mounts().await?;
        unsealed.note_version().await?;
        unsealed.start();
        Ok(unsealed)
    }

    /// What the operator configured.
    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// The kinds of engine that can be mounted.
    pub fn registry(&self) -> &crate::mount::Registry {
        &self.parts.registry
    }

    /// The part of the barrier that `area` of the core has.
    pub fn core_view(&self, area: &str) -> View {
        self.barrier.view(Scope::new("root", area))
    }

    /// Commits `txn`.
    pub async fn commit(&self, txn: Txn) -> Result<()> {
        self.barrier.commit(txn).await
    }

    /// Does something in the background. Sealing cancels it, and waits for it to end.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = Result<()>> + Send + 'static) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            let outcome = tokio::select! {
                () = shutdown.cancelled() => return,
                outcome = work => outcome,
            };
            if let Err(error) = outcome {
                tracing::error!(task = name, %error, source = ?std::error::Error::source(&error), "background work failed");
            }
        });
    }

    /// Runs `work` to its end although whoever waits for it may go away: a request whose client hangs up is neither
    /// half done nor unaudited.
    pub fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.tasks.spawn(work)
    }

    /// Asks for the vault to be sealed once the running request is answered.
    pub fn ask_for_seal(&self) {
        self.seal_asked.cancel();
    }

    /// Whether someone asked for the vault to be sealed.
    pub fn seal_was_asked(&self) -> bool {
        self.seal_asked.is_cancelled()
    }

    /// Ends the background work, waits for the requests in flight and closes the audit logs.
    pub(super) async fn stop(&self) {
        self.shutdown.cancel();
        self.tasks.close();
        if tokio::time::timeout(PATIENCE, self.tasks.wait()).await.is_err() {
            tracing::warn!("requests or background work did not end in time; sealing goes on without them");
        }
        if tokio::time::timeout(PATIENCE, self.close_audit()).await.is_err() {
            tracing::warn!("the audit logs could not be closed in time; sealing goes on without them");
        }
    }

    async fn close_audit(&self) {
        if let Err(error) = self.record_audit_positions().await {
            tracing::warn!(%error, "how far the audit logs have come could not be put on record");
        }
        if let Err(error) = self.audit.close().await {
            tracing::warn!(%error, "an audit log could not be closed");
        }
    }

    async fn open_mounts(&self) -> Result<()> {
        for entry in self.mounts.stored().await? {
            let backend = self.open_backend(&entry).await?;
            self.install(entry, backend);
        }
        Ok(())
    }

    /// Opens what is mounted by `entry`.
    pub(super) async fn open_backend(&self, entry: &MountEntry) -> Result<Backend> {
        match (entry.role, entry.kind.as_str()) {
            (Role::Secret, "system") => return Ok(Backend::System),
            (Role::Auth, "token") => return Ok(Backend::Token),
            (Role::Secret | Role::Auth, _) => {}
        }
        let version = entry.options.get("version").map(String::as_str);
        let kind = self
            .parts
            .registry
            .find(entry.role, &entry.kind, version)
            .ok_or_else(|| Error::invalid(format!("plugin not found in the catalog: {}", entry.kind)))?;
        let options = serde_json::to_value(&entry.options).unwrap_or(Value::Null);
        let view = self.core_view(&format!("mount/{}", entry.uuid));
        Ok(Backend::Engine(kind.open(view, options, self.deps.clone()).await?))
    }

    fn start(self: &Arc<Self>) {
        let sweeper = self.leases.clone().run(self.clone(), self.shutdown.clone());
        self.spawn("lease expiry", async move {
            sweeper.await;
            Ok(())
        });
        let unsealed = self.clone();
        self.spawn("maintenance of engines", async move { unsealed.maintain().await });
        let unsealed = self.clone();
        self.spawn("key rotation", async move { unsealed.watch_keys().await });
        for uuid in self.mounts.removing() {
            let unsealed = self.clone();
            self.spawn("remove a mount", async move { unsealed.finish_removal(&uuid).await });
        }
    }

    async fn maintain(&self) -> Result<()> {
        loop {
            tokio::time::sleep(MAINTENANCE).await;
            for point in self.mounts.serving() {
                let Backend::Engine(engine) = &point.backend else { continue };
                if let Err(error) = engine.maintain(self.deps.clock.now()).await {
                    tracing::warn!(mount = %point.entry.path, %error, "maintenance of a mount failed; it is tried again");
                }
            }
        }
    }

    async fn watch_keys(&self) -> Result<()> {
        loop {
            tokio::time::sleep(COUNTING).await;
            if let Err(error) = self.record_audit_positions().await {
                tracing::warn!(%error, "how far the audit logs have come could not be put on record; it is tried again");
            }
            match self.keep_keys_fresh().await {
                Err(error) if error.kind() == Kind::Sealed => return Ok(()),
                Err(error) => tracing::error!(%error, "the keyring could not be written; it is tried again"),
                Ok(()) => {}
            }
        }
    }

    async fn keep_keys_fresh(&self) -> Result<()> {
        if self.barrier.rotation_is_due(self.deps.clock.now())? {
            let term = self.rotate().await?;
            tracing::info!(term, "the keyring was rotated, as configured");
            return Ok(());
        }
        self.barrier.persist_count(&self.root).await
    }
}

impl fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsealed").finish_non_exhaustive()
    }
}
