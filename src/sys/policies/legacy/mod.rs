//! `/v1/sys/policy`: ACL policies as the first version of the API names them.

mod delete;
mod list;
mod read;
mod read_all;
mod write;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `sys/policy`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<read_all::ReadPolicies>()
        .endpoint::<list::ListPolicies>()
        .endpoint::<read::ReadPolicy>()
        .endpoint::<write::WritePolicy>()
        .endpoint::<delete::DeletePolicy>()
}
