//! `/v1/identity/oidc/role`: what is in identity tokens.

mod by_name;
mod list;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `identity/oidc/role`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<by_name::ReadRole>()
        .endpoint::<by_name::WriteRole>()
        .endpoint::<by_name::DeleteRole>()
        .endpoint::<list::ListRoles>()
}
