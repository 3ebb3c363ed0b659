//! Starting, watching and cancelling a rekey. Giving shares to it is in [`super::keys`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::barrier::{Record, Txn};
use crate::error::{Error, Result};
use crate::seal::{AttemptProgress, PublicKey, SealConfig, Threshold};

use super::Vault;
use super::core::Core;
use super::keys::{NewShares, Rekey};

/// What the new shares are to be like.
#[derive(Debug)]
pub struct NewSeal {
    /// How the new key is split.
    pub threshold: Threshold,
    /// To whom the new shares are encrypted: one key for each, or none.
    pub pgp_keys: Vec<PublicKey>,
    /// Whether the new shares must be shown before they replace the present ones.
    pub require_verification: bool,
    /// Whether the encrypted shares are kept for those who lose theirs.
    pub backup: bool,
}

/// How a rekey stands.
#[derive(Debug)]
pub struct RekeyStatus {
    /// How many of the present shares are needed.
    pub required: u8,
    /// The rekey that goes on, if one does.
    pub going_on: Option<RekeyGoingOn>,
}

/// A rekey that goes on.
#[derive(Debug)]
pub struct RekeyGoingOn {
    /// Names it.
    pub nonce: String,
    /// How many of the present shares were given.
    pub progress: u8,
    /// How the new key is split.
    pub threshold: Threshold,
    /// The fingerprints of the keys that the new shares are encrypted to.
    pub pgp_fingerprints: Vec<String>,
    /// Whether the encrypted shares are kept.
    pub backup: bool,
    /// Whether the new shares must be shown before they hold.
    pub require_verification: bool,
    /// How far that has come, once there are new shares.
    pub verification: Option<Verification>,
}

/// How far the verification of new shares has come.
#[derive(Debug)]
pub struct Verification {
    /// Names it.
    pub nonce: String,
    /// How many of the new shares were shown.
    pub progress: u8,
}

/// Encrypted shares that are kept for those who lose theirs.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShareBackup {
    /// The nonce of the rekey that made them.
    pub nonce: String,
    /// The shares in hexadecimal, by the fingerprint of the key that they are encrypted to.
    pub keys: BTreeMap<String, Vec<String>>,
    /// The same in base64.
    pub keys_base64: BTreeMap<String, Vec<String>>,
}

impl Record for ShareBackup {}

const BACKUP: &str = "share-backup";

impl Vault {
    /// Starts a rekey. Only one goes on at a time.
    pub fn start_rekey(&self, new: NewSeal) -> Result<()> {
        let NewSeal { threshold, pgp_keys, require_verification, backup } = new;
        let unsealed = self.unsealed()?;
        let present = self.seal_record().ok_or_else(Error::sealed)?;
        // Whether there is a key for each share is found out now, and not when all shares were given.
        SealConfig::new(threshold, &pgp_keys, String::new(), present.config.version)?;
        if backup && pgp_keys.is_empty() {
            return Err(Error::invalid("shares are backed up in encrypted form only; give 'pgp_keys' too"));
        }
        let mut slot = unsealed.core.key_operations.rekey();
        if slot.is_some() {
            return Err(Error::invalid("rekey already in progress; cancel it first, or go on with it"));
        }
        let progress = AttemptProgress::start(present.config.threshold, &*self.parts().entropy)?;
        *slot = Some(Rekey { progress, threshold, pgp_keys, require_verification, backup, pending: None });
        Ok(())
    }

    /// How the rekey stands.
    pub fn rekey_status(&self) -> Result<RekeyStatus> {
        let unsealed = self.unsealed()?;
        let present = self.seal_record().ok_or_else(Error::sealed)?;
        let slot = unsealed.core.key_operations.rekey();
        Ok(RekeyStatus { required: present.config.threshold.required(), going_on: slot.as_ref().map(Rekey::status) })
    }

    /// Cancels the rekey that goes on. The present shares hold as before.
    pub fn cancel_rekey(&self) -> Result<()> {
        *self.unsealed()?.core.key_operations.rekey() = None;
        Ok(())
    }

    /// Begins the verification of the new shares anew, under another nonce.
    pub fn restart_verification(&self) -> Result<()> {
        let unsealed = self.unsealed()?;
        let mut slot = unsealed.core.key_operations.rekey();
        if let Some(rekey) = slot.as_mut().filter(|rekey| rekey.pending.is_some()) {
            rekey.progress = AttemptProgress::start(rekey.threshold, &*self.parts().entropy)?;
        }
        Ok(())
    }
}

impl Rekey {
    fn status(&self) -> RekeyGoingOn {
        let Self { progress, threshold, pgp_keys, require_verification, backup, pending } = self;
        let (nonce, given) = (progress.nonce().to_owned(), progress.progress());
        let (nonce, progress, verification) = match pending {
            None => (nonce, given, None),
            Some(pending) => (pending.nonce().to_owned(), 0, Some(Verification { nonce, progress: given })),
        };
        RekeyGoingOn {
            nonce,
            progress,
            threshold: *threshold,
            pgp_fingerprints: pgp_keys.iter().map(|key| key.fingerprint().to_owned()).collect(),
            backup: *backup,
            require_verification: *require_verification,
            verification,
        }
    }
}

impl Core {
    /// The encrypted shares that are kept, if there are any.
    pub async fn share_backup(&self) -> Result<Option<ShareBackup>> {
        self.view("core").get(BACKUP).await
    }

    /// Removes the encrypted shares that are kept.
    pub fn delete_share_backup(&self, txn: &mut Txn) -> Result<()> {
        self.view("core").delete(txn, BACKUP)
    }

    /// Keeps the encrypted shares in place of those kept before.
    pub(super) async fn back_up_shares(&self, nonce: &str, new: &NewShares) -> Result<()> {
        let mut backup = ShareBackup { nonce: nonce.to_owned(), keys: BTreeMap::new(), keys_base64: BTreeMap::new() };
        for ((fingerprint, hex), base64) in new.pgp_fingerprints.iter().zip(&new.keys).zip(&new.keys_base64) {
            backup.keys.entry(fingerprint.clone()).or_default().push(hex.expose().to_owned());
            backup.keys_base64.entry(fingerprint.clone()).or_default().push(base64.expose().to_owned());
        }
        let mut txn = Txn::new();
        self.view("core").put(&mut txn, BACKUP, &backup)?;
        self.commit(txn).await
    }
}
