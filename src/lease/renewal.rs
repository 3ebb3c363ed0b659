//! Renewing a lease.

use crate::api::Ttl;
use crate::barrier::Txn;
use crate::engine::{Bounds, Granted, Renewal, renewed};
use crate::error::{Error, Result};
use crate::time::Timestamp;

use super::manager::LeaseManager;
use super::record::{Lease, Target};
use super::sweep::Revoker;

impl LeaseManager {
    /// Renews the lease `id` by `asked` (zero is the default), within its bounds. `bounds` are those of its mount. The
    /// change goes into `txn`; what lies outside of the vault is extended first, so that it never ends before the lease.
    pub async fn renew(
        &self,
        id: &str,
        asked: Ttl,
        bounds: Bounds,
        revoker: &dyn Revoker,
        txn: &mut Txn,
    ) -> Result<(Lease, Granted)> {
        let now = self.clock.now();
        let lease = self.fetch(id, txn).await?;
        let mut lease = lease.filter(|lease| lease.is_live(now)).ok_or_else(|| Error::invalid("lease not found"))?;
        if matches!(lease.target, Target::Token { .. }) {
            return Err(Error::invalid("the lease of a token is renewed with auth/token/renew"));
        }
        if !lease.renewable {
            return Err(Error::invalid("lease is not renewable"));
        }
        let asked_or_own = asked.or(lease.ttl);
        let own = Bounds { max_ttl: lease.max_ttl.shorter(bounds.max_ttl), ..bounds };
        let mut granted = left(until(lease.latest, renewed(asked_or_own, own, lease.issued, now), now))?;
        if let Renewal::Terms { ttl, max_ttl } = revoker.renew(&lease, granted.expires(now)).await? {
            let own = Bounds { max_ttl: max_ttl.shorter(bounds.max_ttl), ..bounds };
            granted = left(until(lease.latest, renewed(asked.or(ttl), own, lease.issued, now), now))?;
        }
        let before = lease.expires;
        lease.expires = Some(granted.expires(now));
        lease.last_renewal = Some(now);
        self.rewrite(&lease, before, txn)?;
        Ok((lease, granted))
    }
}

/// What was granted, if it is anything: a lease that is past a maximum which was shortened keeps its end.
fn left(granted: Granted) -> Result<Granted> {
    if granted.ttl.is_zero() {
        return Err(Error::invalid("past the max TTL, cannot renew; ask for another lease"));
    }
    Ok(granted)
}

/// What was granted, but no more than is left until `latest`.
fn until(latest: Option<Timestamp>, granted: Granted, now: Timestamp) -> Granted {
    match latest {
        Some(latest) => granted.until(latest, now),
        None => granted,
    }
}
