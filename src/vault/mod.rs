//! The lifecycle: uninitialised, sealed, unsealed. Keys, mounts, tokens, leases, policies and audit exist only inside an
//! [`Unsealed`]; while the vault is sealed there is nothing to call.

mod accepting;
mod audited_headers;
mod audits;
mod backup;
mod checking;
mod checkpoint;
mod cluster;
mod core;
mod cors;
mod finish;
mod identities;
mod in_flight;
mod init;
mod keys;
mod leasing;
mod locking;
mod lockouts;
mod log_level;
mod metering;
mod mounting;
mod namespaces;
mod namespacing;
mod passwords;
mod policies;
mod quotas;
mod rekeying;
mod restoring;
mod revoking;
mod root_generation;
mod sealing;
mod settings;
mod tokens;
mod unsealed;
mod versions;
mod wrapping;

pub use accepting::accept;
pub use audited_headers::{AuditedHeaders, HeaderRules};
pub use audits::AuditRecord;
pub use checking::{Check, CheckReport, Fault, Finding};
#[doc(hidden)]
pub use checkpoint::fuzz as fuzz_checkpoint;
pub use checkpoint::{Checkpoint, History, Regress};
pub use cluster::Cluster;
pub use core::Core;
pub use cors::{Cors, CorsStore};
pub use finish::Finish;
pub use in_flight::{Flight, InFlight, Landing, RequestInFlight};
pub use init::Initialised;
pub use keys::{GenerateRoot, KeyOperations, NewRootToken, NewShares, OTP_LENGTH, Rekey};
pub use lockouts::LockedUsers;
pub use log_level::{LogControl, LogLevel};
pub use mounting::NewMount;
pub use namespaces::{Namespace, Namespaces};
pub use namespacing::Basis;
#[doc(hidden)]
pub use passwords::fuzz as fuzz_password_policy;
pub use passwords::{PasswordPolicyRecord, PasswordStore};
pub use policies::{PolicyRecord, PolicyStore};
pub use quotas::{QuotaStore, Quotas};
pub use rekeying::{NewSeal, RekeyGoingOn, RekeyStatus, ShareBackup, Verification};
pub use restoring::{Restoration, Restorations, Tenant, put_on_record, restore, tenant};
pub use root_generation::RootGenerationStatus;
pub use sealing::{SealRecord, Sealings, Standing};
pub use settings::{DeclaredAudit, Settings};
pub use tokens::{LoggedIn, LookedUp, Renewed, RoleBounds};
pub use unsealed::Unsealed;
pub use versions::InstalledVersion;
pub use wrapping::{Unwrapped, Wrapped, Wrapping, invalid_wrapping_token};

use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::engine::Deps;
use crate::entropy::Entropy;
use crate::error::{Error, Kind, Result};
use crate::metrics::Metrics;
use crate::mount::Registry;
use crate::seal::UnsealProgress;
use crate::storage::{Measured, Storage};
use crate::time::Clock;
use crate::trace::Tracer;

/// What a vault is made of, sealed or not.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Where everything is kept.
    pub storage: Arc<dyn Storage>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The kinds of engine that can be mounted.
    pub registry: Registry,
    /// What the operator configured.
    pub settings: Arc<Settings>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is told of requests to a collector of traces.
    pub tracer: Tracer,
}

/// A vault and the phase it is in.
pub struct Vault {
    parts: Parts,
    phase: RwLock<Phase>,
    /// Unsealing and sealing happen one at a time.
    turning: Arc<tokio::sync::Mutex<()>>,
    /// How often the vault was sealed since its start.
    sealings: watch::Sender<Sealings>,
    /// What runs to its end although whoever waits for it may go away.
    tasks: TaskTracker,
}

enum Phase {
    Uninitialised,
    Sealed(SealRecord, UnsealProgress),
    Unsealed(SealRecord, Arc<Unsealed>),
}

impl Vault {
    /// A vault over what is in its storage: sealed, or uninitialised.
    pub async fn open(mut parts: Parts) -> Result<Arc<Self>> {
        parts.storage = Measured::new(parts.storage, parts.metrics.clone());
        let phase = match SealRecord::load(&*parts.storage).await? {
            None => Phase::Uninitialised,
            Some(record) => {
                let progress = UnsealProgress::new(record.config.threshold);
                Phase::Sealed(record, progress)
            }
        };
        Ok(Arc::new(Self {
            parts,
            phase: RwLock::new(phase),
            turning: Arc::default(),
            sealings: watch::Sender::new(Sealings::default()),
            tasks: TaskTracker::new(),
        }))
    }

    /// The unsealed vault, or the error that says why there is none.
    pub fn unsealed(&self) -> Result<Arc<Unsealed>> {
        match &*self.phase() {
            Phase::Unsealed(_, unsealed) => Ok(unsealed.clone()),
            Phase::Sealed(..) => Err(Error::sealed()),
            Phase::Uninitialised => {
                Err(Error::new(Kind::NotInitialised, "Vault is sealed: it is not initialized yet; call sys/init"))
            }
        }
    }

    /// Runs `work` to its end although whoever waits for it may go away: half an initialisation would lose the keys. For
    /// what is done while there is nothing unsealed, or may not be waited for by sealing; else see [`Core::finish`].
    pub fn finish<F: Future<Output: Send> + Send + 'static>(&self, work: F) -> Finish<F> {
        Finish::new(&self.tasks, work)
    }

    /// What it is made of.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// What handlers get while there are no password policies.
    pub fn deps_while_sealed(&self) -> Deps {
        let Parts { clock, entropy, .. } = &self.parts;
        Deps { clock: clock.clone(), entropy: entropy.clone(), passwords: Arc::new(passwords::WhileSealed) }
    }

    fn phase(&self) -> std::sync::RwLockReadGuard<'_, Phase> {
        self.phase.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn phase_mut(&self) -> std::sync::RwLockWriteGuard<'_, Phase> {
        self.phase.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parts {
    /// What engines get, once there are password policies.
    fn deps(&self, passwords: Arc<PasswordStore>) -> Deps {
        Deps { clock: self.clock.clone(), entropy: self.entropy.clone(), passwords }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}
