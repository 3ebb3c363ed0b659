//! Whether an address asks too often. Decided before anyone looks at its token.

use crate::error::{Error, Kind, Result};
use crate::vault::Unsealed;

use super::request::Request;
use super::route::{Route, Routed};

/// Counts the request, and refuses it if it comes too early.
pub(super) fn check(unsealed: &Unsealed, request: &Request, route: &Route) -> Result<()> {
    let mount = route.target.as_ref().and_then(Routed::point).map_or("sys/", |point| point.entry.path.as_str());
    let path = request.path.as_str();
    match unsealed.quotas.limits().check(path, mount, request.client.address, unsealed.deps.clock.now()) {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(Error::new(Kind::RateLimited, format!("request path {path:?}: rate limit quota exceeded; ask later")))
        }
    }
}
