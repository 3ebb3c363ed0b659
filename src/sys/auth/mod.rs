//! `/v1/sys/auth`: the mounts of auth methods. What they do is what `sys/mounts` does, for the other role.

mod disable;
mod enable;
mod list;
mod read;
mod read_tuning;
mod tune;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `sys/auth`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<list::ListMethods>()
        .endpoint::<read::ReadMethod>()
        .endpoint::<enable::EnableMethod>()
        .endpoint::<disable::DisableMethod>()
        .endpoint::<read_tuning::ReadTuning>()
        .endpoint::<tune::Tune>()
}
