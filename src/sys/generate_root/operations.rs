//! What the paths with and without a token have in common.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Undo};
use crate::error::Result;
use crate::seal::{Otp, PublicKey, RootDelivery};
use crate::secret::SecretText;
use crate::vault::{NewRootToken, OTP_LENGTH, RootGenerationStatus, Vault};

use super::super::rekey::GiveShare;

/// How the token is to be handed over.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct AttemptRequest {
    /// A one-time password of 26 characters; one is made if there is neither this nor a key.
    otp: Option<SecretText>,
    /// A public key (base64 of the binary form, or armoured) for the token to be encrypted to.
    pgp_key: String,
}

/// How the generation of a root token stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AttemptInfo {
    nonce: String,
    started: bool,
    progress: u8,
    required: u8,
    complete: bool,
    /// The token, encoded with the one-time password or encrypted.
    encoded_token: String,
    /// The same.
    encoded_root_token: String,
    pgp_fingerprint: String,
    /// The one-time password, shown once.
    #[serde(serialize_with = "crate::secret::on_wire")]
    otp: SecretText,
    otp_length: usize,
}

/// How the attempt stands.
pub(super) fn status(vault: &Vault) -> Result<AttemptInfo> {
    let RootGenerationStatus { required, nonce, progress, pgp_fingerprint } = vault.root_generation_status()?;
    Ok(AttemptInfo {
        started: nonce.is_some(),
        nonce: nonce.unwrap_or_default(),
        progress,
        required,
        complete: false,
        encoded_token: String::new(),
        encoded_root_token: String::new(),
        pgp_fingerprint,
        otp: SecretText::new(String::new()),
        otp_length: OTP_LENGTH,
    })
}

/// Starts an attempt.
pub(super) fn start(request: AttemptRequest, vault: &Vault, cx: &Cx<'_>) -> Result<AttemptInfo> {
    let AttemptRequest { otp, pgp_key } = request;
    let mut shown = SecretText::new(String::new());
    let delivery = match otp.filter(|otp| !otp.is_empty()) {
        Some(otp) => RootDelivery::Otp(Otp::parse(otp, OTP_LENGTH)?),
        None if !pgp_key.is_empty() => RootDelivery::Pgp(Box::new(PublicKey::parse(&pgp_key, cx.now())?)),
        None => {
            let otp = Otp::generate(OTP_LENGTH, cx.entropy())?;
            shown = SecretText::new(otp.text().expose().to_owned());
            RootDelivery::Otp(otp)
        }
    };
    vault.start_root_generation(delivery)?;
    Ok(AttemptInfo { otp: shown, ..status(vault)? })
}

/// Gives a share to the attempt. A token that cannot be told is revoked.
pub(super) async fn give(request: GiveShare, vault: &Arc<Vault>, cx: &mut Cx<'_>) -> Result<AttemptInfo> {
    let (share, nonce) = request.share()?;
    let before = vault.root_generation_status()?;
    let Some(NewRootToken { encoded, id }) = vault.generate_root_share(&nonce, share).await? else {
        return status(vault);
    };
    let issuing = vault.clone();
    cx.undo_by(Undo::new(move || async move { issuing.unsealed()?.revoke_token(&id).await }));
    Ok(AttemptInfo {
        nonce,
        started: true,
        progress: before.required,
        required: before.required,
        complete: true,
        encoded_root_token: encoded.clone(),
        encoded_token: encoded,
        pgp_fingerprint: before.pgp_fingerprint,
        otp: SecretText::new(String::new()),
        otp_length: 0,
    })
}
