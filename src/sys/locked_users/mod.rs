//! `/v1/sys/locked-users`.

mod list;
mod unlock;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds the endpoints.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes.endpoint::<list::ListLockedUsers>().endpoint::<unlock::UnlockUser>()
}
