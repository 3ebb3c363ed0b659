//! Rotating the keyring, replacing the shares, generating root tokens.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::barrier::{RotationConfig, Txn};
use crate::error::{Error, Result};
use crate::seal::{AttemptProgress, Given, PublicKey, RootDelivery, SealConfig, Shares, Threshold, combine, split};
use crate::secret::{SealKey, SecretText, Share};

use super::core::Core;
use super::init::delivered;
use super::sealing::SealRecord;
use super::unsealed::Unsealed;
use super::{Parts, Vault};

/// What is going on with the keys. Nothing of it is stored: sealing the vault cancels it.
#[derive(Debug, Default)]
pub struct KeyOperations {
    rekey: Mutex<Option<Rekey>>,
    generate_root: Mutex<Option<GenerateRoot>>,
}

impl KeyOperations {
    /// The rekey that goes on, if one does.
    pub fn rekey(&self) -> MutexGuard<'_, Option<Rekey>> {
        self.rekey.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The generation of a root token that goes on, if one does.
    pub fn generate_root(&self) -> MutexGuard<'_, Option<GenerateRoot>> {
        self.generate_root.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A rekey that goes on: the holders of the present shares agree to new ones.
#[derive(Debug)]
pub struct Rekey {
    /// The shares given so far, or, once there are new ones to verify, those of the new ones.
    pub progress: AttemptProgress,
    /// How the new key is split.
    pub threshold: Threshold,
    /// To whom the new shares are encrypted.
    pub pgp_keys: Vec<PublicKey>,
    /// Whether the new shares must be shown before they replace the present ones.
    pub require_verification: bool,
    /// Whether the encrypted shares are kept for those who lose theirs.
    pub backup: bool,
    /// The new key, while its shares are being verified.
    pub pending: Option<Pending>,
}

/// A new seal key whose shares are being verified.
#[derive(Debug)]
pub struct Pending {
    key: SealKey,
    config: SealConfig,
}

impl Pending {
    /// The nonce of the rekey that made the new key.
    pub(super) fn nonce(&self) -> &str {
        &self.config.nonce
    }
}

/// New shares, and whether they hold already.
#[derive(Debug)]
pub struct NewShares {
    /// In hexadecimal.
    pub keys: Vec<SecretText>,
    /// In base64.
    pub keys_base64: Vec<SecretText>,
    /// The fingerprints of the keys that they are encrypted to.
    pub pgp_fingerprints: Vec<String>,
    /// The nonce of the verification that is still owed.
    pub verification_nonce: Option<String>,
}

/// The generation of a root token that goes on.
#[derive(Debug)]
pub struct GenerateRoot {
    /// The shares given so far.
    pub progress: AttemptProgress,
    /// How the token is handed over.
    pub delivery: RootDelivery,
}

/// A root token that was generated.
#[derive(Debug)]
pub struct NewRootToken {
    /// The token, encoded for whoever asked for it.
    pub encoded: String,
    /// Its id in the store.
    pub id: String,
}

/// The length of a one-time password: that of a root token.
pub const OTP_LENGTH: usize = 26;

impl Core {
    /// Adds a term to the keyring.
    pub async fn rotate(&self) -> Result<u32> {
        self.barrier.rotate(&self.root, self.parts.clock.now()).await
    }

    /// Changes when the keyring is rotated by itself.
    pub async fn configure_rotation(&self, config: RotationConfig) -> Result<()> {
        self.barrier.configure_rotation(config, &self.root).await
    }
}

impl Vault {
    /// Takes a share for the rekey that goes on. With the last one the new shares are made.
    pub async fn rekey_share(&self, nonce: &str, share: Share) -> Result<Option<NewShares>> {
        let (_turning, unsealed) = self.turn_unsealed().await?;
        let reached = {
            let mut slot = unsealed.core.key_operations.rekey();
            let rekey = slot.as_mut().filter(|rekey| rekey.pending.is_none());
            let rekey = rekey.ok_or_else(|| Error::invalid("no barrier rekey in progress; start one first"))?;
            match rekey.progress.give(nonce, share)? {
                Given::Counted | Given::Repeated => return Ok(None),
                Given::Reached(shares) => combine(shares),
            }
        };
        let present = self.seal_record().ok_or_else(Error::sealed)?;
        // With a wrong share among them only the shares are forgotten: the operation goes on.
        present.unwrap(&reached)?;
        let operations = &unsealed.core.key_operations;
        let rekey = taken(&mut operations.rekey(), |rekey| rekey.progress.check_nonce(nonce).is_ok());
        let mut rekey = rekey.ok_or_else(|| Error::invalid("the rekey was cancelled meanwhile; start another"))?;
        let made = self.make_shares(&unsealed, &mut rekey, &present).await;
        if made.is_err() || rekey.pending.is_some() {
            operations.rekey().get_or_insert(rekey);
        }
        made.map(Some)
    }

    /// Makes the new shares of `rekey`. Either they hold, or they are pending; after a failure neither.
    async fn make_shares(&self, unsealed: &Unsealed, rekey: &mut Rekey, present: &SealRecord) -> Result<NewShares> {
        let parts = self.parts();
        let nonce = rekey.progress.nonce().to_owned();
        let key = SealKey::generate(&*parts.entropy)?;
        let shares = split(&key, rekey.threshold, &*parts.entropy)?;
        let version = present.config.version + 1;
        let config = SealConfig::new(rekey.threshold, &rekey.pgp_keys, nonce.clone(), version)?;
        let mut new = handed_out(&shares, &rekey.pgp_keys, &config, parts)?;
        if rekey.backup {
            unsealed.core.back_up_shares(&nonce, &new).await?;
        }
        if rekey.require_verification {
            rekey.progress = AttemptProgress::start(rekey.threshold, &*parts.entropy)?;
            new.verification_nonce = Some(rekey.progress.nonce().to_owned());
            rekey.pending = Some(Pending { key, config });
        } else {
            self.replace_seal(unsealed, &key, config).await?;
        }
        Ok(new)
    }

    /// Takes one of the new shares. When enough of them were shown, they replace the present ones; true then.
    pub async fn verify_rekey_share(&self, nonce: &str, share: Share) -> Result<bool> {
        let (_turning, unsealed) = self.turn_unsealed().await?;
        let finished = {
            let mut slot = unsealed.core.key_operations.rekey();
            let rekey = slot.as_mut().filter(|rekey| rekey.pending.is_some());
            let rekey = rekey.ok_or_else(|| Error::invalid("no rekey verification in progress"))?;
            let shown = match rekey.progress.give(nonce, share)? {
                Given::Counted | Given::Repeated => return Ok(false),
                Given::Reached(shares) => combine(shares),
            };
            let matches = rekey
                .pending
                .as_ref()
                .is_some_and(|pending| crate::secret::ct_eq(pending.key.expose(), shown.expose()));
            if !matches {
                rekey.progress = AttemptProgress::start(rekey.threshold, &*self.parts().entropy)?;
                return Err(Error::invalid("the shares are not those of the new key; the verification begins anew"));
            }
            slot.take()
        };
        let Some(Rekey { pending: Some(pending), .. }) = &finished else {
            return Err(Error::invalid("the rekey was cancelled meanwhile; start another"));
        };
        let replaced = self.replace_seal(&unsealed, &pending.key, pending.config.clone()).await;
        if let (Err(_), Some(rekey)) = (&replaced, finished) {
            unsealed.core.key_operations.rekey().get_or_insert(rekey);
        }
        replaced.map(|()| true)
    }

    /// Takes a rekey back whose new shares nobody was told: those of `before` hold again, and no rekey goes on.
    pub async fn take_back_rekey(&self, before: SealRecord) -> Result<()> {
        let (_turning, unsealed) = self.turn_unsealed().await?;
        *unsealed.core.key_operations.rekey() = None;
        let mut txn = Txn::new();
        unsealed.core.delete_share_backup(&mut txn)?;
        before.store(&mut txn)?;
        unsealed.commit(txn).await?;
        self.holds_now(&unsealed, before);
        Ok(())
    }

    /// Takes a share for the generation of a root token. With the last one it is made.
    pub async fn generate_root_share(&self, nonce: &str, share: Share) -> Result<Option<NewRootToken>> {
        let (_turning, unsealed) = self.turn_unsealed().await?;
        let reached = {
            let mut slot = unsealed.core.key_operations.generate_root();
            let attempt =
                slot.as_mut().ok_or_else(|| Error::invalid("no root generation in progress; start one first"))?;
            match attempt.progress.give(nonce, share)? {
                Given::Counted | Given::Repeated => return Ok(None),
                Given::Reached(shares) => combine(shares),
            }
        };
        // With a wrong share among them only the shares are forgotten: the attempt goes on.
        self.seal_record().ok_or_else(Error::sealed)?.unwrap(&reached)?;
        let operations = &unsealed.core.key_operations;
        let attempt = taken(&mut operations.generate_root(), |attempt| attempt.progress.check_nonce(nonce).is_ok());
        let attempt = attempt.ok_or_else(|| Error::invalid("the attempt was cancelled meanwhile; start another"))?;
        let made = self.make_root_token(&unsealed, &attempt.delivery).await;
        if made.is_err() {
            operations.generate_root().get_or_insert(attempt);
        }
        made.map(Some)
    }

    async fn make_root_token(&self, unsealed: &Unsealed, delivery: &RootDelivery) -> Result<NewRootToken> {
        let mut txn = Txn::new();
        let issued = unsealed.issue_root(&mut txn)?;
        let encoded = delivery.encode(&issued.token, &*self.parts().entropy)?;
        unsealed.commit(txn).await?;
        Ok(NewRootToken { encoded, id: issued.id })
    }

    /// Wraps the root key under another seal key, in one commit.
    async fn replace_seal(&self, unsealed: &Unsealed, key: &SealKey, config: SealConfig) -> Result<()> {
        let record = SealRecord::new(config, key, &unsealed.core.root, self.parts())?;
        let mut txn = Txn::new();
        record.store(&mut txn)?;
        unsealed.commit(txn).await?;
        self.holds_now(unsealed, record);
        Ok(())
    }

    /// Says that these shares hold. A root generation that goes on asks for them from now on.
    fn holds_now(&self, unsealed: &Unsealed, record: SealRecord) {
        let threshold = record.config.threshold;
        self.resealed(record);
        if let Some(attempt) = unsealed.core.key_operations.generate_root().as_mut() {
            attempt.progress.ask_for(threshold);
        }
    }
}

/// Takes the operation out of its slot, if it is the one that is meant.
fn taken<T>(slot: &mut Option<T>, is_meant: impl Fn(&T) -> bool) -> Option<T> {
    if slot.as_ref().is_some_and(is_meant) { slot.take() } else { None }
}

fn handed_out(shares: &Shares, keys: &[PublicKey], config: &SealConfig, parts: &Parts) -> Result<NewShares> {
    let (hex, base64) = delivered(shares, keys, parts)?;
    Ok(NewShares {
        keys: hex,
        keys_base64: base64,
        pgp_fingerprints: config.pgp_fingerprints.clone(),
        verification_nonce: None,
    })
}

#[cfg(test)]
mod tests;
