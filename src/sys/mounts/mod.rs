//! `/v1/sys/mounts`: the mounts of secrets engines. `/v1/sys/auth` shares all of it but the paths.

pub(super) mod disable;
pub(super) mod enable;
mod info;
pub(super) mod list;
pub(super) mod read;
mod remount;
mod remount_status;
mod settings;
pub(super) mod tune;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Role, Routes};
use crate::error::{Error, Result};
use crate::mount::MountPoint;
use crate::vault::Unsealed;

pub(crate) use info::{MountInfo, running_version};

/// Adds what is below `sys/mounts`, and `sys/remount`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<list::ListMounts>()
        .endpoint::<read::ReadMount>()
        .endpoint::<enable::EnableMount>()
        .endpoint::<disable::DisableMount>()
        .endpoint::<tune::read::ReadTuning>()
        .endpoint::<tune::write::Tune>()
        .endpoint::<remount::Remount>()
        .endpoint::<remount_status::ReadRemountStatus>()
}

/// The path of a mount.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct MountPath {
    /// Where it is mounted, without slashes at its ends.
    pub(super) path: String,
}

/// Which mount `path` names: `sys/mounts/auth/userpass` is the auth method `userpass`. Only for what reads or tunes one:
/// clients do that there because it takes no sudo. For the rest there is `sys/auth`, whose rules are not to be gone round.
pub(super) fn named(role: Role, path: &str) -> (Role, &str) {
    match (role, path.trim_matches('/').strip_prefix("auth/")) {
        (Role::Secret, Some(path)) => (Role::Auth, path),
        (role, _) => (role, path.trim_matches('/')),
    }
}

/// The mount that `path` names.
pub(super) fn found(unsealed: &Unsealed, role: Role, path: &str) -> Result<Arc<MountPoint>> {
    let (role, path) = named(role, path);
    unsealed.mount_at(role, path).ok_or_else(|| match role {
        Role::Secret => Error::invalid(format!("No secret engine mount at {path}/")),
        Role::Auth => Error::invalid(format!("No auth engine at {path}/")),
    })
}
