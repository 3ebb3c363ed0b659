//! `/v1/identity/group-alias`: the names by which auth methods know external groups.

mod by_id;
mod list;
mod write;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `identity/group-alias`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<write::WriteGroupAlias>()
        .endpoint::<by_id::ReadGroupAlias>()
        .endpoint::<by_id::UpdateGroupAlias>()
        .endpoint::<by_id::DeleteGroupAlias>()
        .endpoint::<list::ListGroupAliases>()
}
