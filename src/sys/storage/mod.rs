//! `/v1/sys/storage/*`: the store as a whole.

mod check;
mod checkpoint;
mod last_check;
mod snapshot;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds them.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<snapshot::TakeSnapshot>()
        .endpoint::<checkpoint::MakeCheckpoint>()
        .endpoint::<check::CheckStore>()
        .endpoint::<last_check::ReadLastCheck>()
}
