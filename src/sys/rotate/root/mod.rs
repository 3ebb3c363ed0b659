//! `/v1/sys/rotate/root/*`: other shares, for those who have a token that may do so and enough of the present shares.

mod backup;
mod init;
mod rotate;
mod update;
mod verify;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Vault;

/// Adds what is below `sys/rotate/root`.
pub(super) fn add(routes: Routes<Arc<Vault>>) -> Routes<Arc<Vault>> {
    routes
        .endpoint::<rotate::RotateRoot>()
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
