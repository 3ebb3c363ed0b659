//! A backup becomes a store again, and the store says so.

use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api::ROOT_NAMESPACE;
use crate::backup::{Meta, Origin, Records, Summary};
use crate::barrier::{Barrier, BarrierError, Record, Scope, Txn};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::seal::{DistinctShares, Threshold, combine};
use crate::secret::{RootKey, Share};
use crate::storage::{Batch, Generation, Lineage, Storage};
use crate::time::Timestamp;

use super::sealing::SealRecord;

/// Bytes of keys and values in one commit.
const COMMITTED_BYTES: usize = 4 << 20;
/// Records in one commit.
const COMMITTED_RECORDS: usize = 2000;

/// Whose store it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenant {
    /// Nobody's: it was never initialised.
    Nobody,
    /// That of the vault with this root key.
    This,
    /// That of another vault.
    Another,
}

/// The restores that made a store what it is, the newest last. Each is a return to an older state that someone wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Restorations {
    /// Each of them.
    pub list: Vec<Restoration>,
}

/// One restore.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Restoration {
    /// When it was done.
    pub time: Timestamp,
    /// When the backup was made.
    pub taken: Timestamp,
    /// The lineage of the store that the backup was made of.
    lineage: String,
    /// The generation that it was in.
    generation: u64,
}

impl Record for Restorations {}

impl Restorations {
    /// Their key in the scope `core`.
    pub(super) const KEY: &'static str = "restorations";
}

impl fmt::Display for Restoration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, taken, lineage, generation } = self;
        write!(f, "Restored at {time} from a backup of {taken} (store {lineage}, generation {generation})")
    }
}

impl Restoration {
    /// The state that the backup has.
    pub fn generation(&self) -> Option<Generation> {
        Some(Generation { lineage: Lineage::parse(&self.lineage)?, number: self.generation })
    }
}

impl SealRecord {
    /// The record in a backup's meta data.
    pub fn of_backup(meta: &Meta) -> Result<Self> {
        serde_json::from_value(meta.seal.clone())
            .map_err(|_| Error::invalid("the backup is damaged: how the vault is sealed cannot be read"))
    }

    /// The record in a store that nobody serves; nothing before initialisation.
    pub async fn of_store(storage: &dyn Storage) -> Result<Option<Self>> {
        Self::load(storage).await
    }

    /// How the seal key is split.
    pub fn threshold(&self) -> Threshold {
        self.config.threshold
    }

    /// The root key, out of as many shares as the threshold asks for.
    pub fn open(&self, shares: &[Share]) -> Result<RootKey> {
        self.unwrap(&combine(DistinctShares::new(shares, self.config.threshold)?))
    }
}

/// Whose store it is, as far as the root key of one vault can tell.
pub async fn tenant(storage: &Arc<dyn Storage>, root: &RootKey, entropy: &Arc<dyn Entropy>) -> Result<Tenant> {
    match Barrier::unlock(storage.clone(), root, entropy.clone()).await {
        Ok(_) => Ok(Tenant::This),
        Err(BarrierError::Missing) => Ok(Tenant::Nobody),
        Err(BarrierError::WrongKey) => Ok(Tenant::Another),
        Err(error) => Err(error.into()),
    }
}

/// Reads a backup to its end, and writes its records into `storage`, which is empty; or nowhere, to see whether it is
/// whole. `progress` is told how far it is.
pub async fn restore<R: BufRead + Send>(
    records: &mut Records<R>,
    storage: Option<&dyn Storage>,
    progress: &mut (dyn FnMut(Summary) + Send),
) -> Result<Summary> {
    let (mut batch, mut bytes) = (Batch::new(), 0);
    while let Some((key, value)) = records.next_record()? {
        progress(records.summary());
        let Some(storage) = storage else { continue };
        bytes += key.as_str().len() + value.len();
        batch.put(key, value);
        if bytes >= COMMITTED_BYTES || batch.writes().len() >= COMMITTED_RECORDS {
            storage.commit(std::mem::take(&mut batch)).await?;
            bytes = 0;
        }
    }
    if let Some(storage) = storage.filter(|_| !batch.is_empty()) {
        storage.commit(batch).await?;
    }
    Ok(records.summary())
}

/// Puts on record in a restored store that it is one, and where it comes from. What is written from now on is encrypted
/// with a new key: how much the last one has encrypted since the backup, only the store that was replaced knew.
pub async fn put_on_record(
    storage: &Arc<dyn Storage>,
    root: &RootKey,
    entropy: &Arc<dyn Entropy>,
    origin: Origin,
    taken: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let barrier = Barrier::unlock(storage.clone(), root, entropy.clone()).await?;
    barrier.rotate(root, now).await?;
    let core = barrier.view(Scope::new(ROOT_NAMESPACE, "core"));
    let mut txn = Txn::new();
    let mut restorations: Restorations = core.fetch(&mut txn, Restorations::KEY).await?.unwrap_or_default();
    let Generation { lineage, number } = origin.generation;
    let lineage = lineage.to_string();
    restorations.list.push(Restoration { time: now, taken, lineage, generation: number });
    core.put(&mut txn, Restorations::KEY, &restorations)?;
    core.commit(txn).await?;
    barrier.wipe();
    Ok(())
}
