//! From sealed to unsealed and back.

use std::sync::Arc;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use tokio::sync::{MutexGuard, OwnedMutexGuard, watch};

use crate::barrier::{Barrier, Txn};
use crate::error::{Error, Kind, Result};
use crate::seal::{Given, SealConfig, Threshold, UnsealProgress, combine, parse_share, unwrap_root_key, wrap_root_key};
use crate::secret::{RootKey, SealKey, SecretText};
use crate::storage::{Key, Storage};

use super::checking::refuse_unsound;
use super::unsealed::Unsealed;
use super::{Parts, Phase, Vault};

/// What is in clear in the store: how the vault is sealed, and the root key, encrypted under the seal key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SealRecord {
    /// How many shares there are, and how many unseal.
    pub config: SealConfig,
    /// The wrapped root key, in base64.
    wrapped_root: String,
}

/// How a vault stands, for `sys/seal-status` and `sys/health`.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Whether it was initialised.
    pub initialised: bool,
    /// Whether it is sealed.
    pub sealed: bool,
    /// How the seal key is split; nothing before initialisation.
    pub threshold: Option<Threshold>,
    /// How many shares were given.
    pub progress: u8,
    /// Names the attempt to unseal.
    pub nonce: String,
    /// The cluster's name and id, once unsealed.
    pub cluster: Option<(String, String)>,
}

/// How often the vault was sealed since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sealings {
    /// How often it stopped answering. Known before anyone can be told that it is sealed.
    pub begun: u64,
    /// How often its keys were gone, with all that needed them.
    pub done: u64,
}

impl SealRecord {
    /// Its key in the store.
    pub(super) const KEY: &'static str = "core/seal";

    /// The root key, wrapped by the seal key.
    pub(super) fn new(config: SealConfig, seal: &SealKey, root: &RootKey, parts: &Parts) -> Result<Self> {
        let wrapped = wrap_root_key(seal, root, &*parts.entropy)?;
        Ok(Self { config, wrapped_root: BASE64.encode(&wrapped) })
    }

    /// Reads the record; nothing before initialisation.
    pub(super) async fn load(storage: &dyn Storage) -> Result<Option<Self>> {
        let Some(bytes) = storage.get(&Key::new(Self::KEY)?).await? else { return Ok(None) };
        let record = serde_json::from_slice(&bytes)
            .map_err(|error| Error::corrupt("the record of the seal is damaged").with_source(error))?;
        Ok(Some(record))
    }

    /// Writes the record.
    pub(super) fn store(&self, txn: &mut Txn) -> Result<()> {
        let bytes =
            serde_json::to_vec(self).map_err(|_| Error::internal("the record of the seal cannot be written"))?;
        txn.put_in_clear(Key::new(Self::KEY)?, bytes);
        Ok(())
    }

    /// The root key, if `seal` is the right key.
    pub(super) fn unwrap(&self, seal: &SealKey) -> Result<RootKey> {
        let wrapped = BASE64
            .decode(self.wrapped_root.as_bytes())
            .map_err(|_| Error::corrupt("the stored root key is damaged; restore it from a backup"))?;
        Ok(unwrap_root_key(seal, &wrapped)?)
    }
}

impl Vault {
    /// How the vault stands.
    pub fn standing(&self) -> Standing {
        match &*self.phase() {
            Phase::Uninitialised => Standing {
                initialised: false,
                sealed: true,
                threshold: None,
                progress: 0,
                nonce: String::new(),
                cluster: None,
            },
            Phase::Sealed(record, progress) => Standing {
                initialised: true,
                sealed: true,
                threshold: Some(record.config.threshold),
                progress: progress.progress(),
                nonce: progress.nonce().to_owned(),
                cluster: None,
            },
            Phase::Unsealed(record, unsealed) => Standing {
                initialised: true,
                sealed: false,
                threshold: Some(record.config.threshold),
                progress: 0,
                nonce: String::new(),
                cluster: Some((unsealed.core.cluster.name.clone(), unsealed.core.cluster.id.clone())),
            },
        }
    }

    /// How the vault is sealed; nothing before initialisation.
    pub fn seal_record(&self) -> Option<SealRecord> {
        match &*self.phase() {
            Phase::Uninitialised => None,
            Phase::Sealed(record, _) | Phase::Unsealed(record, _) => Some(record.clone()),
        }
    }

    /// Replaces the record of the seal after a rekey.
    pub(super) fn resealed(&self, next: SealRecord) {
        match &mut *self.phase_mut() {
            Phase::Uninitialised => {}
            Phase::Sealed(record, _) | Phase::Unsealed(record, _) => *record = next,
        }
    }

    /// Forgets the shares that were given so far.
    pub fn reset_unseal(&self) {
        match &mut *self.phase_mut() {
            Phase::Sealed(_, progress) => progress.reset(),
            Phase::Uninitialised | Phase::Unsealed(..) => {}
        }
    }

    /// Takes a share. With the last one that is needed the vault is unsealed; a share too many does nothing.
    pub async fn give_share(&self, text: &SecretText) -> Result<()> {
        let turning = match self.unsealed() {
            Ok(unsealed) => self.turn_of(&unsealed).await?,
            Err(_) => self.turning.lock().await,
        };
        let share = parse_share(text)?;
        let reached = match &mut *self.phase_mut() {
            Phase::Unsealed(..) => return Ok(()),
            Phase::Uninitialised => {
                return Err(Error::new(Kind::InvalidRequest, "Vault is not initialized; call sys/init first"));
            }
            Phase::Sealed(record, progress) => match progress.give(share, &*self.parts.entropy)? {
                Given::Counted | Given::Repeated => return Ok(()),
                Given::Reached(shares) => (record.clone(), combine(shares)),
            },
        };
        let (record, seal_key) = reached;
        let root = record.unwrap(&seal_key)?;
        let outcome = self.unseal_with(record, root).await;
        drop(turning);
        outcome
    }

    /// Waits for the turn of a request of an unsealed vault.
    pub(super) async fn turn_unsealed(&self) -> Result<(MutexGuard<'_, ()>, Arc<Unsealed>)> {
        let unsealed = self.unsealed()?;
        let turning = self.turn_of(&unsealed).await?;
        // It may have been sealed, and unsealed again.
        Ok((turning, self.unsealed()?))
    }

    /// Waits for its turn until the vault is sealed: whoever seals it has the turn, and waits for the requests that are
    /// running.
    async fn turn_of(&self, unsealed: &Unsealed) -> Result<MutexGuard<'_, ()>> {
        unsealed.core.shutdown.run_until_cancelled(self.turning.lock()).await.ok_or_else(Error::sealed)
    }

    /// Unseals with the root key itself.
    pub(super) async fn unseal_with(&self, record: SealRecord, root: RootKey) -> Result<()> {
        let barrier = Barrier::unlock(self.parts.storage.clone(), &root, self.parts.entropy.clone()).await?;
        if let Err(error) = barrier.keep_ledger(&root, self.parts.clock.now()).await {
            // On a full disk, or with a record that cannot be read, the vault opens all the same.
            let source = std::error::Error::source(&error);
            tracing::error!(%error, ?source, "no ledger could be begun; it is tried again at the next unsealing");
        }
        if let Err(error) = refuse_unsound(&self.parts, &barrier).await {
            barrier.wipe();
            return Err(error);
        }
        let unsealed = Unsealed::assemble(&self.parts, barrier, root).await?;
        *self.phase_mut() = Phase::Unsealed(record, unsealed);
        tracing::info!("the vault is unsealed");
        Ok(())
    }

    /// Seals the vault: background work is ended, then the keys are wiped. Nothing happens to a sealed vault. Not to be
    /// awaited by work that sealing itself waits for.
    pub async fn seal(&self) {
        let turning = self.turning.clone().lock_owned().await;
        if let Some(unsealed) = self.sealed_from_now_on() {
            finish_sealing(unsealed, turning, self.sealings.clone()).await;
        }
    }

    /// Seals the vault at the end of a request: from now on it is sealed for every other request, and as soon as those
    /// that are running, among them this one, have ended, the keys are wiped.
    pub fn seal_behind_this_request(self: &Arc<Self>) {
        let Ok(turning) = self.turning.clone().try_lock_owned() else {
            // Someone turns the vault right now. If they are sealing it they wait for this request, which must not wait
            // for them.
            let vault = self.clone();
            self.tasks.spawn(async move { vault.seal().await });
            return;
        };
        if let Some(unsealed) = self.sealed_from_now_on() {
            self.tasks.spawn(finish_sealing(unsealed, turning, self.sealings.clone()));
        }
    }

    /// How often it was sealed. Who keeps copies of what came out of it, in buffers or on stacks, lets go of them when
    /// this changes.
    pub fn sealings(&self) -> watch::Receiver<Sealings> {
        self.sealings.subscribe()
    }

    /// Turns the vault to sealed, and gives what has to be ended; nothing if it is sealed already.
    fn sealed_from_now_on(&self) -> Option<Arc<Unsealed>> {
        let mut phase = self.phase_mut();
        let Phase::Unsealed(record, unsealed) = &*phase else { return None };
        let (record, unsealed) = (record.clone(), unsealed.clone());
        let progress = UnsealProgress::new(record.config.threshold);
        *phase = Phase::Sealed(record, progress);
        self.sealings.send_modify(|sealings| sealings.begun += 1);
        Some(unsealed)
    }
}

/// Ends the background work and wipes the keys. Nobody unseals meanwhile: that is what the guard is for.
async fn finish_sealing(unsealed: Arc<Unsealed>, turning: OwnedMutexGuard<()>, sealings: watch::Sender<Sealings>) {
    unsealed.core.stop().await;
    unsealed.core.barrier.wipe();
    drop(unsealed);
    drop(turning);
    tracing::info!("the vault is sealed");
    sealings.send_modify(|sealings| sealings.done += 1);
}

#[cfg(test)]
mod tests;
