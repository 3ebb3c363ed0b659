//! `/v1/sys/quotas`: how many requests an address may make, and how many leases there may be.

mod config;
mod lease_count;
mod rate_limit;
mod scope;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `sys/quotas`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    let routes = routes.endpoint::<config::read::ReadConfig>().endpoint::<config::write::WriteConfig>();
    lease_count::add(rate_limit::add(routes))
}
