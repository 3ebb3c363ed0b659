//! `Unsealed`: everything that needs a key, as one namespace has it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::barrier::{Barrier, Scope, Txn, View};
use crate::engine::{Deps, Mounted, Role};
use crate::error::{Error, Kind, Result};
use crate::identity::IdentityStore;
use crate::lease::LeaseManager;
use crate::mount::{Backend, Gate, MountEntry, MountTable};
use crate::secret::RootKey;
use crate::time::Timestamp;
use crate::token::TokenStore;

use super::Parts;
use super::core::Core;
use super::namespaces::Namespace;
use super::passwords::PasswordStore;
use super::policies::PolicyStore;
use super::quotas::NamespaceCensus;

/// How often engines are asked to do what no request asks for.
const MAINTENANCE: Duration = Duration::from_secs(5);
/// How long the maintenance of one mount may take.
const REACH: Duration = Duration::from_mins(1);
/// How often the count of encryptions is written down.
const COUNTING: Duration = Duration::from_mins(1);

/// Everything that needs a key, as one namespace has it. Dropped when the vault is sealed, after its background work has
/// ended.
pub struct Unsealed {
    /// What it shares with all other namespaces.
    pub core: Arc<Core>,
    /// Which namespace it is.
    pub namespace: Namespace,
    /// Which mount a path belongs to.
    pub mounts: MountTable,
    /// The tokens, those of other namespaces among them: a tree of tokens can reach into namespaces below its own.
    pub tokens: Arc<TokenStore>,
    /// The policies.
    pub policies: PolicyStore,
    /// The entities and groups.
    pub identity: IdentityStore,
    /// The leases.
    pub leases: Arc<LeaseManager>,
    /// The password policies.
    pub passwords: Arc<PasswordStore>,
    /// What engines get.
    pub deps: Deps,
    /// Mounts, and namespaces within this one, change one at a time.
    pub(super) mounting: tokio::sync::Mutex<()>,
    /// The requests that are being answered in this namespace.
    pub gate: Gate,
    pub(super) shutdown: CancellationToken,
}

impl Unsealed {
    /// Reads what is in the barrier, opens every namespace with every mount and starts the background work. Gives the
    /// root namespace.
    pub(super) async fn assemble(parts: &Parts, barrier: Arc<Barrier>, root: RootKey) -> Result<Arc<Self>> {
        let core = Core::open(parts, barrier, root).await?;
        match Self::open_all(&core).await {
            Ok(root) => Ok(root),
            Err(error) => {
                // What was opened holds itself and the keys until it is let go of.
                core.stop().await;
                core.barrier.wipe();
                Err(error)
            }
        }
    }

    async fn open_all(core: &Arc<Core>) -> Result<Arc<Self>> {
        core.open_audit_devices().await?;
        let root = Self::open(core, Namespace::root()).await?;
        core.namespaces.install(root.clone());
        for namespace in core.namespaces.stored().await? {
            let (path, is_leaving) = (namespace.path.clone(), namespace.removing);
            match Self::open(core, namespace).await {
                Ok(unsealed) => {
                    core.namespaces.install(unsealed.clone());
                    if is_leaving {
                        unsealed.remove_in_background();
                    }
                }
                // It must not keep all others sealed.
                Err(error) => {
                    let source = std::error::Error::source(&error);
                    tracing::error!(%path, %error, ?source, "a namespace cannot be opened; it serves nothing until the next unsealing");
                }
            }
        }
        core.enforce_lease_limits().await?;
        core.note_version().await?;
        let unsealed = root.clone();
        root.spawn("maintenance of engines", async move { unsealed.core.maintain().await });
        let unsealed = root.clone();
        root.spawn("key rotation", async move { unsealed.core.watch_keys().await });
        let unsealed = root.clone();
        root.spawn("tally of what is stored", async move { unsealed.core.tally().await });
        let unsealed = root.clone();
        root.spawn("checks of the store", async move { unsealed.core.check_now_and_then().await });
        Ok(root)
    }

    /// Opens the mounts of a namespace and starts its background work.
    pub(super) async fn open(core: &Arc<Core>, namespace: Namespace) -> Result<Arc<Self>> {
        let parts = &core.parts;
        let view = |area| core.barrier.view(Scope::new(&namespace.id, area));
        let (entropy, clock) = (parts.entropy.clone(), parts.clock.clone());
        let passwords = Arc::new(PasswordStore::new(view("password-policy"), parts.entropy.clone()));
        let leases = {
            let (limits, namespace_path) = (core.quotas.leases().clone(), namespace.path.as_str().into());
            let census = Arc::new(NamespaceCensus { limits, namespace: namespace_path });
            LeaseManager::new(core.barrier.clone(), &namespace.id, entropy.clone(), clock.clone(), census)
        };
        let unsealed = Arc::new(Self {
            mounts: MountTable::new(view("mounts"), &namespace.id, parts.settings.ttl),
            tokens: core.tokens.clone(),
            policies: PolicyStore::new(view("policy"), &namespace.id, parts.metrics.clone()),
            identity: IdentityStore::new(&view("identity"), &namespace.id, entropy.clone(), clock.clone()),
            leases: Arc::new(leases),
            deps: parts.deps(passwords.clone()),
            passwords,
            mounting: tokio::sync::Mutex::default(),
            gate: Gate::default(),
            shutdown: core.shutdown.child_token(),
            core: core.clone(),
            namespace,
        });
        unsealed.open_mounts().await?;
        let sweeper = unsealed.leases.clone().run(unsealed.clone(), unsealed.shutdown.clone());
        core.spawn_to_its_end("lease expiry", async move {
            sweeper.await;
            Ok(())
        });
        for uuid in unsealed.mounts.removing() {
            let removing = unsealed.clone();
            unsealed.spawn("remove a mount", async move { removing.remove(&uuid).await });
        }
        Ok(unsealed)
    }

    /// The part of the barrier that `area` of this namespace has.
    pub fn view(&self, area: &str) -> View {
        self.core.barrier.view(Scope::new(&self.namespace.id, area))
    }

    /// Commits `txn`.
    pub async fn commit(&self, txn: Txn) -> Result<()> {
        self.core.commit(txn).await
    }

    /// Does something in the background. Sealing, and the end of the namespace, cancel it.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = Result<()>> + Send + 'static) {
        self.core.spawn(name, self.shutdown.clone(), work);
    }

    /// Whether this namespace serves: it has not been removed meanwhile.
    pub(super) fn serves(&self) -> bool {
        let serving = self.core.namespaces.at(&self.namespace.path);
        serving.is_some_and(|serving| serving.namespace.id == self.namespace.id)
    }

    /// Ends the background work of this namespace.
    pub(super) fn end(&self) {
        self.shutdown.cancel();
    }

    async fn open_mounts(&self) -> Result<()> {
        self.add_built_in_mounts().await?;
        for entry in self.mounts.stored().await? {
            // One that cannot be opened must not keep all others sealed.
            let backend = self.open_backend(&entry).await.unwrap_or_else(|error| {
                let (mount, source) = (&entry.path, std::error::Error::source(&error));
                tracing::error!(%mount, %error, ?source, "a mount cannot be opened; it answers nothing until the next unsealing");
                Backend::Unopened
            });
            self.install(entry, backend);
        }
        Ok(())
    }

    /// Opens what is mounted by `entry`.
    pub(super) async fn open_backend(&self, entry: &MountEntry) -> Result<Backend> {
        match (entry.role, entry.kind.as_str()) {
            (Role::Secret, "system") => return Ok(Backend::System),
            (Role::Auth, "token") => return Ok(Backend::Token),
            (Role::Secret, "identity") => return Ok(Backend::Identity),
            (Role::Secret | Role::Auth, _) => {}
        }
        let version = entry.options.get("version").map(String::as_str);
        let kind = self.core.registry().find(entry.role, &entry.kind, version).ok_or_else(|| {
            Error::invalid("plugin not found in the catalog: 'type' names none of sys/plugins/catalog")
        })?;
        let options = serde_json::to_value(&entry.options).unwrap_or(Value::Null);
        let view = self.view(&format!("mount/{}", entry.uuid));
        Ok(Backend::Engine(kind.open(view, options, self.deps.clone()).await?))
    }
}

impl Core {
    async fn maintain(&self) -> Result<()> {
        loop {
            tokio::time::sleep(MAINTENANCE).await;
            for unsealed in self.namespaces.all() {
                if let Err(error) = unsealed.identity.oidc.maintain().await {
                    let namespace = &unsealed.namespace.path;
                    tracing::warn!(%namespace, %error, "the keys of identity tokens could not be rotated; it is tried again");
                }
                for point in unsealed.mounts.serving() {
                    let Backend::Engine(engine) = &point.backend else { continue };
                    maintain(&point.entry, &**engine, self.parts.clock.now()).await;
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
        if self.barrier.rotation_is_due(self.parts.clock.now())? {
            let term = self.rotate().await?;
            tracing::info!(term, "the keyring was rotated, as configured");
            return Ok(());
        }
        self.barrier.persist_count(&self.root).await
    }
}

/// Asks one engine; one that hangs must not keep the others waiting for long.
async fn maintain(entry: &MountEntry, engine: &dyn Mounted, now: Timestamp) {
    match tokio::time::timeout(REACH, engine.maintain(now)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(mount = %entry.path, %error, "maintenance of a mount failed; it is tried again");
        }
        Err(_) => tracing::warn!(mount = %entry.path, "maintenance of a mount took too long; it is tried again"),
    }
}

impl fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsealed").finish_non_exhaustive()
    }
}
