//! `Core`: what of an unsealed vault all its namespaces share.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::api::ROOT_NAMESPACE;
use crate::audit::AuditBroker;
use crate::barrier::{Barrier, Scope, Txn, View};
use crate::chain::{SigningKey, VerifyingKey};
use crate::error::{Error, Result};
use crate::mount::Registry;
use crate::secret::RootKey;
use crate::token::TokenStore;

use super::audited_headers::AuditedHeaders;
use super::checking::LastCheck;
use super::cluster::Cluster;
use super::cors::CorsStore;
use super::finish::Finish;
use super::in_flight::InFlight;
use super::keys::KeyOperations;
use super::metering::Tallied;
use super::namespaces::Namespaces;
use super::quotas::QuotaStore;
use super::{Parts, Settings};

/// How long sealing waits for requests and background work to end, and for the audit logs to be closed, before it goes
/// on without them.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How long it then waits for the revocations that it has broken off to notice.
const BREAKING_OFF: Duration = Duration::from_secs(1);

/// What of an unsealed vault all its namespaces share.
pub struct Core {
    /// Encrypts everything.
    pub barrier: Arc<Barrier>,
    /// The tokens of all namespaces.
    pub tokens: Arc<TokenStore>,
    /// The namespaces.
    pub namespaces: Namespaces,
    /// The audit devices.
    pub audit: AuditBroker,
    /// Which headers of requests they are told of.
    pub audited_headers: AuditedHeaders,
    /// The public half of the key that audit logs are signed with.
    pub audit_key: VerifyingKey,
    /// The rate limits.
    pub quotas: QuotaStore,
    /// Which web pages may call the API.
    pub cors: CorsStore,
    /// The cluster's name and id.
    pub cluster: Cluster,
    /// The requests that are being answered.
    pub in_flight: InFlight,
    /// Rekeying and the generation of root tokens, while they go on.
    pub key_operations: KeyOperations,
    /// What was counted of what is stored.
    pub(super) tallied: Tallied,
    /// What came of the newest check of the store.
    pub(super) last_check: LastCheck,
    pub(super) root: RootKey,
    /// Signs audit logs and checkpoints.
    pub(super) signing_key: Arc<SigningKey>,
    pub(super) parts: Parts,
    tasks: TaskTracker,
    pub(super) shutdown: CancellationToken,
    /// Sealing has lost its patience: what still reaches for another server stops doing so.
    pub(super) broken_off: CancellationToken,
    seal_asked: CancellationToken,
    /// Audit devices change one at a time.
    pub(super) changing: tokio::sync::Mutex<()>,
}

impl Core {
    /// Reads what is in the barrier.
    pub(super) async fn open(parts: &Parts, barrier: Arc<Barrier>, root: RootKey) -> Result<Arc<Self>> {
        let view = |area| barrier.view(Scope::new(ROOT_NAMESPACE, area));
        let cluster = view("core").get(Cluster::KEY).await?;
        let cluster: Cluster = cluster.ok_or_else(|| Error::corrupt("the record of the cluster is missing"))?;
        let (entropy, clock) = (parts.entropy.clone(), parts.clock.clone());
        let (audit, signing_key) = super::audits::broker(parts, &barrier).await?;
        Ok(Arc::new(Self {
            tokens: Arc::new(TokenStore::new(barrier.clone(), &cluster.token_key()?, entropy, clock)),
            namespaces: Namespaces::new(view("namespaces")),
            audit,
            audited_headers: AuditedHeaders::load(view("core")).await?,
            audit_key: signing_key.verifying_key(),
            signing_key,
            quotas: QuotaStore::open(view("config")).await?,
            cors: CorsStore::open(view("config")).await?,
            cluster,
            in_flight: InFlight::default(),
            key_operations: KeyOperations::default(),
            tallied: Tallied::default(),
            last_check: LastCheck::load(&barrier).await,
            root,
            parts: parts.clone(),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            broken_off: CancellationToken::new(),
            seal_asked: CancellationToken::new(),
            changing: tokio::sync::Mutex::default(),
            barrier,
        }))
    }

    /// The part of the barrier that `area` has of what belongs to no namespace.
    pub fn view(&self, area: &str) -> View {
        self.barrier.view(Scope::new(ROOT_NAMESPACE, area))
    }

    /// What the operator configured.
    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// The kinds of engine that can be mounted.
    pub fn registry(&self) -> &Registry {
        &self.parts.registry
    }

    /// Commits `txn`.
    pub async fn commit(&self, txn: Txn) -> Result<()> {
        self.barrier.commit(txn).await
    }

    /// Does something in the background until `shutdown`, where it is dropped. Sealing waits for it to end.
    pub(super) fn spawn(
        &self,
        name: &'static str,
        shutdown: CancellationToken,
        work: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        let work = async move { shutdown.run_until_cancelled(work).await.unwrap_or(Ok(())) };
        self.spawn_to_its_end(name, work);
    }

    /// Does something in the background that itself ends soon after its `shutdown`, and must not stop half-way. Sealing
    /// waits for it to end.
    pub(super) fn spawn_to_its_end(&self, name: &'static str, work: impl Future<Output = Result<()>> + Send + 'static) {
        self.tasks.spawn(async move {
            if let Err(error) = work.await {
                tracing::error!(task = name, %error, source = ?std::error::Error::source(&error), "background work failed");
            }
        });
    }

    /// Runs `work` to its end although whoever waits for it may go away: a request whose client hangs up is neither
    /// half done nor unaudited.
    pub fn finish<F: Future<Output: Send> + Send + 'static>(&self, work: F) -> Finish<F> {
        Finish::new(&self.tasks, work)
    }

    /// What sealing waits for until it is dropped: for work on a thread that nobody can cancel.
    pub(super) fn awaited(&self) -> TaskTrackerToken {
        self.tasks.token()
    }

    /// Asks for the vault to be sealed once the running request is answered.
    pub fn ask_for_seal(&self) {
        self.seal_asked.cancel();
    }

    /// Whether someone asked for the vault to be sealed.
    pub fn seal_was_asked(&self) -> bool {
        self.seal_asked.is_cancelled()
    }

    /// Ends the background work, waits for the requests in flight, closes the audit logs and lets go of the namespaces.
    pub(super) async fn stop(&self) {
        self.shutdown.cancel();
        self.tasks.close();
        if tokio::time::timeout(PATIENCE, self.tasks.wait()).await.is_err() {
            self.broken_off.cancel();
            if tokio::time::timeout(BREAKING_OFF, self.tasks.wait()).await.is_err() {
                tracing::warn!("requests or background work did not end in time; sealing goes on without them");
            }
        }
        if tokio::time::timeout(PATIENCE, self.close_audit()).await.is_err() {
            tracing::warn!("the audit logs could not be closed in time; sealing goes on without them");
        }
        // They hold this, which holds them.
        self.namespaces.clear();
    }

    async fn close_audit(&self) {
        if let Err(error) = self.record_audit_positions().await {
            tracing::warn!(%error, "how far the audit logs have come could not be put on record");
        }
        if let Err(error) = self.audit.close().await {
            tracing::warn!(%error, "an audit log could not be closed");
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}
