//! `/v1/sys/rekey/*`: other shares, on the older paths that ask for no token. They are switched off unless a listener is
//! configured to have them; `/v1/sys/rotate/root/*` is the same with a token.

mod backup;
mod init;
mod operations;
mod update;
mod verify;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::Routes;
use crate::vault::{ShareBackup, Vault};

pub(super) use operations::{
    GiveShare, RekeyInfo, RekeyReply, StartRekey, VerificationInfo, VerificationReply, give, may_cancel, open, start,
    status, verification_status, verify as show,
};

/// The encrypted shares that are kept.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BackupInfo {
    nonce: String,
    keys: BTreeMap<String, Vec<String>>,
    keys_base64: BTreeMap<String, Vec<String>>,
}

impl From<ShareBackup> for BackupInfo {
    fn from(backup: ShareBackup) -> Self {
        let ShareBackup { nonce, keys, keys_base64 } = backup;
        Self { nonce, keys, keys_base64 }
    }
}

/// Adds what is below `sys/rekey/`.
pub(super) fn add(routes: Routes<Arc<Vault>>) -> Routes<Arc<Vault>> {
    routes
        .endpoint::<init::ReadRekey>()
        .endpoint::<init::Start>()
        .endpoint::<init::CancelRekey>()
        .endpoint::<update::Update>()
        .endpoint::<verify::ReadVerification>()
        .endpoint::<verify::Verify>()
        .endpoint::<verify::RestartVerification>()
        .endpoint::<backup::ReadBackup>()
        .endpoint::<backup::DeleteBackup>()
}
