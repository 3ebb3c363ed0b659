//! What the paths with and without a token have in common.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseBool, LooseInt, StringList};
use crate::engine::{Cx, Undo};
use crate::error::{Error, Kind, Result};
use crate::seal::{PublicKey, Threshold, parse_share};
use crate::secret::{SecretText, Share};
use crate::vault::{NewSeal, NewShares, RekeyGoingOn, RekeyStatus, Vault, Verification};

/// What the new shares are to be like.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct StartRekey {
    /// Into how many shares the new key is split, 1 to 255.
    secret_shares: LooseInt,
    /// How many of them unseal.
    secret_threshold: LooseInt,
    /// One public key (base64 of the binary form, or armoured) for each share to be encrypted to.
    pgp_keys: StringList,
    /// Whether the encrypted shares are kept.
    backup: LooseBool,
    /// Whether the new shares must be shown before they replace the present ones.
    require_verification: LooseBool,
}

/// A share for an operation that goes on.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct GiveShare {
    /// The share, hexadecimal or base64.
    key: Option<SecretText>,
    /// Names the operation.
    nonce: String,
}

/// How a rekey stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RekeyInfo {
    nonce: String,
    started: bool,
    t: u8,
    n: u8,
    progress: u8,
    required: u8,
    pgp_fingerprints: Option<Vec<String>>,
    backup: bool,
    verification_required: bool,
    /// Empty while there is nothing to verify.
    verification_nonce: String,
}

/// The new shares.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Rekeyed {
    nonce: String,
    complete: bool,
    #[serde(serialize_with = "secrets_on_wire")]
    keys: Vec<SecretText>,
    #[serde(serialize_with = "secrets_on_wire")]
    keys_base64: Vec<SecretText>,
    pgp_fingerprints: Option<Vec<String>>,
    backup: bool,
    verification_required: bool,
    /// Empty where nothing is to be verified.
    verification_nonce: String,
}

/// What giving a share came to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum RekeyReply {
    /// More are needed.
    GoesOn(RekeyInfo),
    /// The new shares.
    Done(Box<Rekeyed>),
}

/// How the verification of new shares stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct VerificationInfo {
    nonce: String,
    started: bool,
    t: u8,
    n: u8,
    progress: u8,
}

/// The new shares hold.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Verified {
    nonce: String,
    complete: bool,
}

/// What showing a new share came to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum VerificationReply {
    /// More are needed.
    GoesOn(VerificationInfo),
    /// The new shares hold.
    Done(Verified),
}

/// How the rekey stands.
pub(in crate::sys) fn status(vault: &Vault) -> Result<RekeyInfo> {
    let RekeyStatus { required, going_on } = vault.rekey_status()?;
    Ok(match going_on {
        None => RekeyInfo {
            nonce: String::new(),
            started: false,
            t: 0,
            n: 0,
            progress: 0,
            required,
            pgp_fingerprints: None,
            backup: false,
            verification_required: false,
            verification_nonce: String::new(),
        },
        Some(rekey) => {
            let RekeyGoingOn {
                nonce,
                progress,
                threshold,
                pgp_fingerprints,
                backup,
                require_verification,
                verification,
            } = rekey;
            RekeyInfo {
                nonce,
                started: true,
                t: threshold.required(),
                n: threshold.shares(),
                progress,
                required,
                pgp_fingerprints: Some(pgp_fingerprints).filter(|keys| !keys.is_empty()),
                backup,
                verification_required: require_verification,
                verification_nonce: verification.map(|verification| verification.nonce).unwrap_or_default(),
            }
        }
    })
}

/// Starts a rekey.
pub(in crate::sys) fn start(request: StartRekey, vault: &Vault, cx: &Cx<'_>) -> Result<RekeyInfo> {
    let StartRekey { secret_shares, secret_threshold, pgp_keys, backup, require_verification } = request;
    vault.start_rekey(NewSeal {
        threshold: Threshold::new(secret_shares.0, secret_threshold.0)?,
        pgp_keys: PublicKey::parse_all(pgp_keys.as_slice(), cx.now())?,
        require_verification: require_verification.0,
        backup: backup.0,
    })?;
    status(vault)
}

/// Gives a share to the rekey that goes on. New shares that cannot be told are no shares.
pub(in crate::sys) async fn give(request: GiveShare, vault: &Arc<Vault>, cx: &mut Cx<'_>) -> Result<RekeyReply> {
    let (share, nonce) = request.share()?;
    let before = vault.rekey_status()?.going_on;
    if let Some(RekeyGoingOn { verification: Some(_), .. }) = before {
        return Err(Error::invalid("the rekey is finished; its new shares are to be verified, by rekey verify"));
    }
    let present = vault.seal_record().ok_or_else(Error::sealed)?;
    let Some(new) = vault.rekey_share(&nonce, share).await? else { return status(vault).map(RekeyReply::GoesOn) };
    let rekeyed = vault.clone();
    cx.undo_by(Undo::new(move || async move { rekeyed.take_back_rekey(present).await }));
    let NewShares { keys, keys_base64, pgp_fingerprints, verification_nonce } = new;
    Ok(RekeyReply::Done(Box::new(Rekeyed {
        nonce,
        complete: true,
        keys,
        keys_base64,
        pgp_fingerprints: Some(pgp_fingerprints).filter(|keys| !keys.is_empty()),
        backup: before.is_some_and(|rekey| rekey.backup),
        verification_required: verification_nonce.is_some(),
        verification_nonce: verification_nonce.unwrap_or_default(),
    })))
}

/// How the verification of the new shares stands.
pub(in crate::sys) fn verification_status(vault: &Vault) -> Result<VerificationInfo> {
    let going_on = vault.rekey_status()?.going_on;
    let rekey = going_on.ok_or_else(|| Error::invalid("no rekey configuration found; start a rekey first"))?;
    let (t, n) = (rekey.threshold.required(), rekey.threshold.shares());
    Ok(match rekey.verification {
        None => VerificationInfo { nonce: String::new(), started: false, t, n, progress: 0 },
        Some(Verification { nonce, progress }) => VerificationInfo { nonce, started: true, t, n, progress },
    })
}

/// Shows one of the new shares.
pub(in crate::sys) async fn verify(request: GiveShare, vault: &Vault) -> Result<VerificationReply> {
    let (share, nonce) = request.share()?;
    if vault.verify_rekey_share(&nonce, share).await? {
        return Ok(VerificationReply::Done(Verified { nonce, complete: true }));
    }
    verification_status(vault).map(VerificationReply::GoesOn)
}

impl GiveShare {
    /// The share, and the nonce of the operation that it is for.
    pub(in crate::sys) fn share(self) -> Result<(Share, String)> {
        let key = self.key.filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| Error::invalid("'key' must be specified in request body as JSON"))?;
        Ok((parse_share(&key)?, self.nonce))
    }
}

/// Whether the caller of a path without a token may cancel the operation `current`: whoever knows its nonce may, and
/// whoever has a token that may delete there. Anyone else could keep an operation from ever coming to its end.
pub(in crate::sys) async fn may_cancel(
    current: Option<&str>,
    nonce: &str,
    vault: &Vault,
    cx: &mut Cx<'_>,
) -> Result<()> {
    let Some(current) = current else { return Ok(()) };
    if crate::secret::ct_eq(current.as_bytes(), nonce.as_bytes()) {
        return Ok(());
    }
    let (path, client, token, now) = (cx.path.as_str(), cx.client.address, cx.token, cx.now());
    let refused =
        Error::invalid("incorrect nonce supplied; give the operation's nonce, or a token that may delete here");
    let Some(token) = token else { return Err(refused) };
    let unsealed = vault.unsealed()?;
    let mut known = match unsealed.tokens.authenticate(token, client).await {
        Err(error) if error.kind() == Kind::Forbidden => return Err(refused),
        known => known?,
    };
    unsealed.identify(&mut known.caller).await?;
    let acl = unsealed.acl(&known.caller, now).await?;
    let may = acl.capabilities(path).iter().any(|word| matches!(*word, "root" | "delete"));
    if may { Ok(()) } else { Err(Error::denied()) }
}

/// The answer of paths that are switched off.
pub(in crate::sys) fn open(switched_on: bool) -> Result<()> {
    if switched_on { Ok(()) } else { Err(Error::new(Kind::MethodNotAllowed, "unsupported operation")) }
}

fn secrets_on_wire<S: serde::Serializer>(secrets: &[SecretText], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(secrets.iter().map(SecretText::expose))
}
