//! `/v1/sys/tools`: random bytes and digests.

mod algorithm;
mod encoding;
mod hash;
mod hash_with;
mod random;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `sys/tools`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    let routes = routes.endpoint::<hash::Hash>().endpoint::<hash_with::HashWith>();
    random::add(routes)
}
