//! What ends when a lease ends: who does it.

use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::engine::Renewal;
use crate::error::{Error, Kind, Result};
use crate::lease::{Lease, Revoker, Target};
use crate::mount::Backend;
use crate::time::Timestamp;

use super::unsealed::Unsealed;

/// How long an engine may take to undo one lease. One that does not answer must not keep all others from ending.
const REACH: Duration = Duration::from_mins(1);

#[async_trait]
impl Revoker for Unsealed {
    async fn undo(&self, lease: &Lease) -> Result<()> {
        let (work, start) = (&self.core.parts.metrics.work, Instant::now());
        let undone = self.undo_target(lease).await;
        match &undone {
            Ok(()) => {
                work.revocations.since(start);
            }
            Err(_) => work.failed_revocations.add(),
        }
        undone
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<Renewal> {
        let Target::Secret { mount, .. } = &lease.target else {
            return Err(Error::internal("the lease of a token is renewed with its token"));
        };
        match (self.engine_of(mount), lease.data()?) {
            (Some(Backend::Engine(engine)), Some(data)) => engine.renew_lease(&data, until).await,
            (Some(Backend::Unopened), _) => Err(unopened()),
            (_, _) => Err(Error::new(Kind::InvalidRequest, "lease not found")),
        }
    }
}

impl Unsealed {
    async fn undo_target(&self, lease: &Lease) -> Result<()> {
        match &lease.target {
            Target::Token { id } => self.undo_token(id).await,
            Target::Secret { mount, .. } => match (self.engine_of(mount), lease.data()?) {
                (Some(Backend::Engine(engine)), Some(data)) => {
                    let undoing = tokio::time::timeout(REACH, engine.revoke(&data));
                    // After the vault was sealed nothing is undone any more; the lease stays due.
                    let undone = self.core.broken_off.run_until_cancelled(undoing).await.ok_or_else(Error::sealed)?;
                    undone.unwrap_or_else(|_| {
                        Err(Error::new(
                            Kind::Unavailable,
                            "what the lease stands for did not answer in time; try again",
                        ))
                    })
                }
                (Some(Backend::Unopened), _) => Err(unopened()),
                // The mount and its records are gone: nothing is left that could be undone.
                (_, _) => Ok(()),
            },
        }
    }
}

fn unopened() -> Error {
    Error::new(Kind::Unavailable, "the mount could not be opened; see the server's log")
}
