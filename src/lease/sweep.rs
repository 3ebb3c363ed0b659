//! Ends what is due, a window at a time, and tries again what did not end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::barrier::Txn;
use crate::engine::Renewal;
use crate::error::{Error, Kind, Result};
use crate::storage::Page;
use crate::time::Timestamp;

use super::manager::LeaseManager;
use super::record::{Due, IRREVOCABLE_AFTER, Lease, LeaseState, due_second};

/// Undoes, and extends, what leases stand for. The manager does not know who does.
#[async_trait]
pub trait Revoker: Send + Sync + 'static {
    /// Undoes what the lease stands for. Twice must be as good as once.
    async fn undo(&self, lease: &Lease) -> Result<()>;

    /// Whether, and how far, a lease may be renewed to `until`.
    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<Renewal>;
}

/// How many due leases are read at a time.
const WINDOW: usize = 256;
/// How many leases are ended, or made due, at once: their commits share the syncs of the disk.
pub const AT_ONCE: usize = 16;
/// How often the due index is looked at when nothing was due.
const TICK: Duration = Duration::from_secs(1);

impl LeaseManager {
    /// Revokes what is due, until `shutdown`. What is being undone by then is undone before this ends: it is to be waited
    /// for, and not to be dropped.
    pub async fn run(self: Arc<Self>, revoker: Arc<dyn Revoker>, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let pause = match self.sweep(&*revoker, &shutdown).await {
                Ok(_) => TICK,
                Err(error) if error.kind() == Kind::Sealed => return,
                Err(error) => {
                    tracing::error!(%error, source = ?std::error::Error::source(&error), "leases could not be swept");
                    TICK * 10
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Revokes all that is due, a window after the other, and says how many there were. What cannot be ended stays where it
    /// is and keeps nothing behind it from ending. Nothing more is begun after `shutdown`.
    pub async fn sweep(&self, revoker: &dyn Revoker, shutdown: &CancellationToken) -> Result<usize> {
        let (mut count, mut after) = (0, None);
        loop {
            let names = self.due.list("", Page { after, limit: Some(WINDOW) }).await?;
            let now = self.clock.now().unix_seconds();
            let due: Vec<String> =
                names.into_iter().filter(|name| due_second(name).is_none_or(|at| at <= now)).collect();
            count += due.len();
            after = due.last().cloned();
            let is_last = due.len() < WINDOW;
            self.end_all(due, revoker, shutdown).await;
            if is_last || shutdown.is_cancelled() {
                return Ok(count);
            }
        }
    }

    /// Ends some at once, all in the task of the caller: when that is dropped, nothing of it goes on elsewhere.
    async fn end_all(&self, due: Vec<String>, revoker: &dyn Revoker, shutdown: &CancellationToken) {
        let end = async |key: String| {
            if shutdown.is_cancelled() {
                return;
            }
            // A panic over one lease must not keep all others from ending.
            match AssertUnwindSafe(self.end(&key, revoker)).catch_unwind().await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "a lease could not be revoked; it will be tried again"),
                Err(_) => tracing::error!("the revocation of a lease panicked; it will be tried again"),
            }
        };
        stream::iter(due).for_each_concurrent(AT_ONCE, end).await;
    }

    /// Ends the lease behind one entry of the due index.
    async fn end(&self, due_key: &str, revoker: &dyn Revoker) -> Result<()> {
        let Some(due) = self.due.get::<Due>(due_key).await? else { return Ok(()) };
        match self.lease(&due.lease_id).await? {
            // It was renewed, or revoked, since the window was read.
            Some(lease) if lease.expires.is_some_and(|expires| expires > self.clock.now()) => Ok(()),
            Some(lease) => self.undo(&lease.id, revoker).await,
            None => {
                let mut txn = Txn::new();
                self.due.delete(&mut txn, due_key)?;
                self.commit(txn).await
            }
        }
    }

    /// Undoes what a lease stands for and removes it; if that fails, says when it is tried again. What is removed is the
    /// lease as it was before that: one that was given up meanwhile stands for something made since, and stays due.
    pub(super) async fn undo(&self, id: &str, revoker: &dyn Revoker) -> Result<()> {
        let mut txn = Txn::new();
        let Some(lease) = self.records.fetch::<Lease>(&mut txn, id).await? else { return Ok(()) };
        if lease.is_live(self.clock.now()) {
            // It was renewed since it was found to be due.
            return Ok(());
        }
        match revoker.undo(&lease).await {
            Ok(()) => {
                self.erase(&lease, &mut txn)?;
                match self.commit(txn).await {
                    // Someone else ended it at the same time, or it changed.
                    Err(error) if error.kind() == Kind::Conflict => Ok(()),
                    outcome => outcome,
                }
            }
            Err(error) if error.kind() == Kind::Sealed => Err(error),
            Err(error) => {
                self.postpone(&lease.id).await?;
                Err(error)
            }
        }
    }

    async fn postpone(&self, id: &str) -> Result<()> {
        let mut txn = Txn::new();
        let Some(mut lease) = self.records.fetch::<Lease>(&mut txn, id).await? else { return Ok(()) };
        let attempts = match lease.state {
            LeaseState::Revoking { attempts } => attempts + 1,
            LeaseState::Intended | LeaseState::Active => 1,
        };
        let before = lease.expires;
        lease.state = LeaseState::Revoking { attempts };
        lease.expires = Some(self.clock.now().plus(pause_after(attempts)));
        if attempts == IRREVOCABLE_AFTER {
            tracing::error!(lease = %lease.id, attempts, "a lease cannot be revoked; it is tried once an hour from now on");
        }
        self.rewrite(&lease, before, &mut txn)?;
        match self.commit(txn).await {
            Err(error) if error.kind() == Kind::Conflict => Ok(()),
            outcome => outcome.map_err(|error| Error::internal("a lease could not be postponed").with_source(error)),
        }
    }
}

/// 10 s after the first failure, twice as long after each further one, at most an hour.
fn pause_after(attempts: u32) -> Duration {
    let doubled = 10_u64.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    Duration::from_secs(doubled.min(3600))
}
