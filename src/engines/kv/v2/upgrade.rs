//! A mount of version 1 that becomes one of version 2 keeps its secrets: each is version 1 of the secret at its path.

use crate::engine::{Page, Txn, View};
use crate::engines::kv::v1;
use crate::error::Result;
use crate::time::Timestamp;

use super::secret::Secret;
use super::{Kv2, NewVersion};

/// Where version 1 keeps its secrets below the mount.
const BEFORE: &str = "secret";

/// Puts the secrets of a mount of version 1 into `txn` as those of one of version 2. With the mount's own record in the
/// same transaction the mount is at any time the one or the other.
pub async fn upgrade(view: View, now: Timestamp, txn: &mut Txn) -> Result<()> {
    let kv = Kv2::over(view);
    take_over(&kv, now, txn).await
}

/// Takes over what a request wrote that was on its way to version 1 when the mount became one of version 2.
pub(super) async fn late(kv: &Kv2, now: Timestamp) -> Result<()> {
    if kv.view.within(BEFORE).list("", Page::first(1)).await?.is_empty() {
        return Ok(());
    }
    let mut txn = Txn::new();
    take_over(kv, now, &mut txn).await?;
    kv.view.commit(txn).await
}

async fn take_over(kv: &Kv2, now: Timestamp, txn: &mut Txn) -> Result<()> {
    let before = kv.view.within(BEFORE);
    let config = kv.config().await?;
    for path in before.scan("").await? {
        let Some(v1::Secret(payload)) = before.fetch(txn, &path).await? else { continue };
        // What was there before is the oldest version there is, which the table of a new secret does not say yet.
        let first = || Secret { oldest: 1, ..Secret::new(now) };
        let secret = kv.fetch(txn, &path).await?.unwrap_or_else(first);
        let (deletion, keep) = (config.deletion(&secret, now), config.max_versions(&secret));
        kv.write_version(txn, &path, secret, NewVersion { payload, now, deletion, keep })?;
        before.delete(txn, &path)?;
    }
    Ok(())
}
