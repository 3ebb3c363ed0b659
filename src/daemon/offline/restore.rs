//! `arcad restore`: puts a backup in the place of the store, while no server has it open.
//!
//! The backup is read twice: once to its end before anything is written, and once into a new store beside the old one. The
//! new one is read again before it takes the old one's place, in one step that an interruption cannot halve.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::backup::{BackupKey, Meta, Origin, Reader, Records, Summary};
use crate::entropy::{Entropy, SystemEntropy};
use crate::metrics::Metrics;
use crate::secret::RootKey;
use crate::storage::{self, Kept, Opening, Replacement, Storage, StorageError};
use crate::time::{Clock, SystemClock};
use crate::vault::{self, SealRecord, Tenant};

use super::super::{Failure, files};
use super::progress::Progress;
use super::{damaged, shares, store_of};

/// What to restore, and into what.
#[derive(Debug)]
pub struct RestoreOptions {
    /// The server's configuration files.
    pub config: Vec<PathBuf>,
    /// The backup.
    pub backup: PathBuf,
    /// Replace a store of another vault too, and one that cannot be read.
    pub force: bool,
    /// Only say whether the backup is whole.
    pub verify_only: bool,
}

type Source = Records<BufReader<File>>;

/// Restores the backup.
pub(in super::super) async fn restore(options: RestoreOptions) -> Result<(), Failure> {
    let RestoreOptions { config, backup, force, verify_only } = options;
    let store = if verify_only { None } else { Some(store_of(&config)?) };
    let reader = reader(&backup)?;
    let meta = reader.meta().clone();
    let seal = SealRecord::of_backup(&meta)?;
    let root = seal.open(&shares::ask(seal.threshold())?)?;
    let mut records = reader.unlock(BackupKey::derive(&root, &meta.salt)?)?;
    let origin = records.origin()?;
    let summary = {
        let mut progress = Progress::new("Verifying");
        vault::restore(&mut records, None, &mut |done| progress.show(done.records, done.bytes)).await?
    };
    let Summary { records: count, bytes, .. } = summary;
    let mut out = io::stdout();
    writeln!(out, "The backup of {} is whole: {count} records, {bytes} bytes.", meta.created)?;
    let Some((kind, folder)) = store else { return Ok(()) };
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
    if !force && storage::has_store(&folder, kind)? {
        let refused = refuse_another(kind, &folder, &root, &entropy).await;
        storage::give_to_owner(&folder, kind)?;
        refused?;
    }
    let replacement = Replacement::begin(&folder, kind)?;
    let building = Building { kind, staging: replacement.staging(), root, entropy };
    let again = building.fill(&backup, &meta, origin).await?;
    if again != summary {
        return Err("the backup changed while it was read; nothing was replaced".into());
    }
    building.look(count).await?;
    let Kept { now, before } = replacement.put_in_place()?;
    writeln!(out, "It is restored. The server starts sealed, and the shares of the backup unseal it.")?;
    if let Some(old) = now {
        writeln!(out, "The store that it replaces is in {}; remove it when all is well.", old.display())?;
    }
    for old in before {
        writeln!(out, "A store that was replaced before is still in {}.", old.display())?;
    }
    writeln!(out, "Checkpoints made before are of another store now: take a new one with `arca operator checkpoint`.")?;
    Ok(())
}

/// The backup in the file `path`, as far as that is read without keys.
fn reader(path: &Path) -> Result<Reader<BufReader<File>>, Failure> {
    let file = files::open("the backup", path)?;
    Reader::open(BufReader::new(file)).map_err(|error| format!("the backup {}: {error}", path.display()).into())
}

/// Refuses to replace the store of another vault, and one of which that cannot be told.
async fn refuse_another(kind: &str, folder: &Path, root: &RootKey, entropy: &Arc<dyn Entropy>) -> Result<(), Failure> {
    let storage = match open(kind, folder, Opening::default(), entropy) {
        Ok(storage) => storage,
        Err(StorageError::Damaged(why)) => {
            let text = damaged(&folder.join(kind), &why);
            return Err(format!("{text}. Whose it is cannot be told: replace it with -force; it will be kept").into());
        }
        Err(error) => return Err(error.into()),
    };
    match vault::tenant(&storage, root, entropy).await {
        Ok(Tenant::This | Tenant::Nobody) => Ok(()),
        Ok(Tenant::Another) => {
            Err("the folder holds the store of another vault; replace it with -force if that is meant".into())
        }
        Err(error) => {
            let text = "whose store is in the folder cannot be told; replace it with -force";
            Err(format!("{text} ({error})").into())
        }
    }
}

fn open(
    kind: &str,
    folder: &Path,
    opening: Opening,
    entropy: &Arc<dyn Entropy>,
) -> Result<Arc<dyn Storage>, StorageError> {
    storage::open(kind, folder, opening, &**entropy, &Metrics::new(SystemClock.now()))
}

/// The new store, beside the old one.
struct Building {
    kind: &'static str,
    staging: PathBuf,
    root: RootKey,
    entropy: Arc<dyn Entropy>,
}

impl Building {
    /// Reads the backup again, into the new store.
    async fn fill(&self, backup: &Path, meta: &Meta, origin: Origin) -> Result<Summary, Failure> {
        let storage = open(self.kind, &self.staging, Opening::default(), &self.entropy)?;
        let reader = reader(backup)?;
        let mut records: Source = reader.unlock(BackupKey::derive(&self.root, &meta.salt)?)?;
        let summary = {
            let mut progress = Progress::new("Restoring");
            let progress = &mut |done: Summary| progress.show(done.records, done.bytes);
            vault::restore(&mut records, Some(&*storage), progress).await?
        };
        let now = SystemClock.now();
        vault::put_on_record(&storage, &self.root, &self.entropy, origin, meta.created, now).await?;
        Ok(summary)
    }

    /// Opens the new store anew, and counts what is in it.
    async fn look(&self, expected: u64) -> Result<(), Failure> {
        let storage = open(self.kind, &self.staging, Opening::whole(), &self.entropy)?;
        if vault::tenant(&storage, &self.root, &self.entropy).await? != Tenant::This {
            return Err("the new store is not what was restored; nothing was replaced".into());
        }
        let counting = tokio::task::spawn_blocking(move || {
            let (mut snapshot, mut count) = (storage.snapshot()?, 0_u64);
            loop {
                let page = snapshot.next_page()?;
                if page.is_empty() {
                    return Ok::<_, StorageError>(count);
                }
                for stored in page {
                    stored.value?;
                    count += 1;
                }
            }
        });
        // The record that says that it was restored may have been there before.
        if counting.await?? < expected {
            return Err("the new store has not all of the backup's records; nothing was replaced".into());
        }
        Ok(())
    }
}
