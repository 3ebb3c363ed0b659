//! Ends leases because somebody asks for it: one, or many at once.

use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::barrier::Txn;
use crate::error::{Error, Kind, Result};

use super::manager::LeaseManager;
use super::record::{Lease, LeaseState};
use super::sweep::{AT_ONCE, Revoker};

impl LeaseManager {
    /// Makes the lease `id` due now, durably: from here on it will be revoked, whatever happens. Nothing if it is gone.
    pub async fn doom(&self, id: &str) -> Result<Option<Lease>> {
        loop {
            let mut txn = Txn::new();
            let Some(mut lease) = self.fetch(id, &mut txn).await? else { return Ok(None) };
            if matches!(lease.state, LeaseState::Revoking { .. }) {
                return Ok(Some(lease));
            }
            let before = lease.expires;
            lease.state = LeaseState::Revoking { attempts: 0 };
            lease.expires = Some(self.clock.now());
            self.rewrite(&lease, before, &mut txn)?;
            match self.barrier.commit(txn).await {
                Ok(()) => return Ok(Some(lease)),
                Err(error) if error.kind() == Kind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Revokes the lease `id` and waits until it is done. A lease that is gone is a success. If it fails it stays due and
    /// is tried again in the background.
    pub async fn revoke(&self, id: &str, revoker: &dyn Revoker) -> Result<()> {
        while self.doom(id).await?.is_some() {
            self.undo(id, revoker).await?;
        }
        Ok(())
    }

    /// Removes the lease `id` without undoing what it stands for: for what is beyond reach.
    async fn abandon(&self, id: &str) -> Result<()> {
        let mut txn = Txn::new();
        self.forget(id, &mut txn).await?;
        self.barrier.commit(txn).await
    }

    /// Makes all of these due now, as [`LeaseManager::doom`] does with one. Many at once, since their commits share the
    /// syncs of the disk. The first failure is the answer; what was not made due by then may not be.
    pub async fn doom_all(&self, ids: &[String]) -> Result<()> {
        stream::iter(ids).map(Ok).try_for_each_concurrent(AT_ONCE, async |id| self.doom(id).await.map(drop)).await
    }

    /// Revokes all of these and waits until they are done. The first failure is the answer: nothing is begun after it,
    /// and what was begun is finished.
    pub async fn revoke_all(&self, ids: &[String], revoker: &dyn Revoker) -> Result<()> {
        let failure: Mutex<Option<Error>> = Mutex::new(None);
        let first = || failure.lock().unwrap_or_else(PoisonError::into_inner);
        let end = async |id: &String| {
            if first().is_some() {
                return;
            }
            if let Err(error) = self.revoke(id, revoker).await {
                first().get_or_insert(error);
            }
        };
        stream::iter(ids).for_each_concurrent(AT_ONCE, end).await;
        let first = first().take();
        first.map_or(Ok(()), Err)
    }

    /// Revokes all of these, and removes those that cannot be revoked: for what is beyond reach.
    pub async fn end_all_by_force(&self, ids: &[String], revoker: &dyn Revoker) -> Result<()> {
        let end = async |id: &String| {
            if let Err(error) = self.revoke(id, revoker).await {
                tracing::warn!(lease = %id, %error, "a lease was removed by force without being revoked");
                self.abandon(id).await?;
            }
            Ok(())
        };
        stream::iter(ids).map(Ok).try_for_each_concurrent(AT_ONCE, end).await
    }
}
