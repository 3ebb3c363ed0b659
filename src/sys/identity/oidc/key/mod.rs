//! `/v1/identity/oidc/key`: the keys that sign identity tokens.

mod by_name;
mod list;
mod rotate;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `identity/oidc/key`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<by_name::ReadKey>()
        .endpoint::<by_name::WriteKey>()
        .endpoint::<by_name::DeleteKey>()
        .endpoint::<list::ListKeys>()
        .endpoint::<rotate::RotateKey>()
}
