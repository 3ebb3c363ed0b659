//! `/v1/sys/quotas`: how many requests an address may make.

mod config;
mod rate_limit;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `sys/quotas`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    let routes = routes.endpoint::<config::read::ReadConfig>().endpoint::<config::write::WriteConfig>();
    rate_limit::add(routes)
}
