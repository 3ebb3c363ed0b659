//! What operators and holders do with leases, whatever they stand for.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::api::Ttl;
use crate::barrier::Txn;
use crate::engine::{Bounds, Granted};
use crate::error::Result;
use crate::lease::{AT_ONCE, Lease, Target};

use super::unsealed::Unsealed;

impl Unsealed {
    /// Renews the lease `id` by `asked` (zero is its own length), within the bounds of its mount. The change goes into
    /// `txn`.
    pub async fn renew_lease(&self, id: &str, asked: Ttl, txn: &mut Txn) -> Result<(Lease, Granted)> {
        let mount = match self.leases.lease(id).await? {
            Some(lease) => lease.mount().and_then(|mount| self.mounts.by_id(mount)),
            None => None,
        };
        let server = self.core.parts.settings.ttl;
        let (default_ttl, max_ttl) =
            mount.map_or((server.default_ttl, server.max_ttl), |point| (point.facts.default_ttl, point.facts.max_ttl));
        let bounds = Bounds { default_ttl, max_ttl, ..Bounds::default() };
        self.leases.renew(id, asked, bounds, self, txn).await
    }

    /// Makes the lease `id` due now, durably; it is revoked in the background. A token that it is of ends here and now.
    /// Nothing if it is gone.
    pub async fn doom_lease(&self, id: &str) -> Result<()> {
        if let Some(Lease { target: Target::Token { id }, .. }) = self.leases.doom(id).await? {
            self.doom_token(&id).await?;
        }
        Ok(())
    }

    /// Revokes the lease `id` and waits until it is done.
    pub async fn revoke_lease(&self, id: &str) -> Result<()> {
        self.leases.revoke(id, self).await
    }

    /// Revokes every lease below `prefix`; true waits until they are done, false until each is due, durably, and no
    /// token among them can be used.
    pub async fn revoke_prefix(&self, prefix: &str, wait: bool) -> Result<()> {
        let ids = self.leases.below(prefix).await?;
        // All of them are due before the first is undone: whatever fails later, none is forgotten.
        stream::iter(&ids).map(Ok).try_for_each_concurrent(AT_ONCE, |id| self.doom_lease(id)).await?;
        if wait { self.leases.revoke_all(&ids, self).await } else { Ok(()) }
    }

    /// Revokes every lease below `prefix`, and removes those that cannot be revoked: for what is beyond reach.
    pub async fn revoke_prefix_by_force(&self, prefix: &str) -> Result<()> {
        self.leases.end_all_by_force(&self.leases.below(prefix).await?, self).await
    }

    /// Every lease below `prefix`, which counts as a folder.
    pub async fn leases_below(&self, prefix: &str) -> Result<Vec<Lease>> {
        let mut found = Vec::new();
        for id in self.leases.below(prefix).await? {
            found.extend(self.leases.lease(&id).await?);
        }
        Ok(found)
    }

    /// Looks through all leases in the background and ends those that are left over: what their token or their mount
    /// was is gone.
    pub fn tidy_leases(self: &Arc<Self>) {
        let unsealed = self.clone();
        self.spawn("tidy leases", async move {
            let mut ended = 0_usize;
            for lease in unsealed.leases_below("").await? {
                if unsealed.is_left_over(&lease).await? {
                    unsealed.doom_lease(&lease.id).await?;
                    ended += 1;
                }
            }
            tracing::info!(ended, "the leases were tidied");
            Ok(())
        });
    }

    async fn is_left_over(&self, lease: &Lease) -> Result<bool> {
        if !lease.owner.is_empty() && self.tokens.stored(&lease.owner).await?.is_none() {
            return Ok(true);
        }
        match &lease.target {
            Target::Token { id } => Ok(self.tokens.stored(id).await?.is_none()),
            Target::Secret { mount, .. } => Ok(self.mounts.by_id(mount).is_none()),
        }
    }
}
