//! Starting, watching and cancelling the generation of a root token. Giving shares to it is in [`super::keys`].

use crate::error::{Error, Result};
use crate::seal::{AttemptProgress, RootDelivery};

use super::Vault;
use super::keys::GenerateRoot;

/// How the generation of a root token stands.
#[derive(Debug)]
pub struct RootGenerationStatus {
    /// How many shares are needed.
    pub required: u8,
    /// Names the attempt; nothing if none goes on.
    pub nonce: Option<String>,
    /// How many shares were given.
    pub progress: u8,
    /// The fingerprint of the key that the token is encrypted to; empty for a one-time password.
    pub pgp_fingerprint: String,
}

impl Vault {
    /// Starts an attempt. Only one goes on at a time.
    pub fn start_root_generation(&self, delivery: RootDelivery) -> Result<()> {
        let unsealed = self.unsealed()?;
        let present = self.seal_record().ok_or_else(Error::sealed)?;
        let mut slot = unsealed.core.key_operations.generate_root();
        if slot.is_some() {
            return Err(Error::invalid("root generation already in progress; cancel it first, or go on with it"));
        }
        let progress = AttemptProgress::start(present.config.threshold, &*self.parts().entropy)?;
        *slot = Some(GenerateRoot { progress, delivery });
        Ok(())
    }

    /// How the attempt stands.
    pub fn root_generation_status(&self) -> Result<RootGenerationStatus> {
        let unsealed = self.unsealed()?;
        let required = self.seal_record().ok_or_else(Error::sealed)?.config.threshold.required();
        let slot = unsealed.core.key_operations.generate_root();
        Ok(match slot.as_ref() {
            None => RootGenerationStatus { required, nonce: None, progress: 0, pgp_fingerprint: String::new() },
            Some(GenerateRoot { progress, delivery }) => RootGenerationStatus {
                required,
                nonce: Some(progress.nonce().to_owned()),
                progress: progress.progress(),
                pgp_fingerprint: delivery.pgp_fingerprint().to_owned(),
            },
        })
    }

    /// Cancels the attempt that goes on.
    pub fn cancel_root_generation(&self) -> Result<()> {
        *self.unsealed()?.core.key_operations.generate_root() = None;
        Ok(())
    }
}
