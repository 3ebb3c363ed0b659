//! A request is counted against the rate limits, once: by its head, before its body is read, unless it takes the body to know
//! which of them is for it.

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{Error, Kind, Result};
use crate::quota::Asked;
use crate::sys::{Route, Routed};
use crate::vault::Unsealed;

use super::request::{Counted, Request};
use super::{Known, Pipeline, placing};

impl Pipeline {
    /// Counts a request by its head, if that is enough. Whether it comes too early: then nothing more of it need be read,
    /// and its answer says so.
    pub fn count_head(&self, request: &mut Request) -> bool {
        let Ok(root) = self.vault.unsealed() else { return false };
        if root.core.quotas.rates().is_empty() {
            return false;
        }
        request.counted = self.counted_by_head(&root, request);
        request.counted.as_ref().is_some_and(Result::is_err)
    }

    fn counted_by_head(&self, root: &Arc<Unsealed>, request: &mut Request) -> Option<Counted> {
        let asked_for = request.path.clone();
        let placed = placing::place(root, request).ok();
        let unsealed = placed.as_ref().map_or(root, |placed| &placed.unsealed);
        let route = self.router.route(unsealed, request.operation, &request.path).ok();
        let path = whole_path(unsealed, request, route.as_ref());
        let asked = Asked { namespace: unsealed.namespace.path.as_str(), path: &path, role: "" };
        let rates = unsealed.core.quotas.rates();
        let counted =
            (!rates.ask_role(&asked)).then(|| rates.check(&asked, request.client.address, unsealed.deps.clock.now()));
        request.path = asked_for;
        counted
    }
}

/// Counts the request, if that was not done yet, and refuses it if it comes too early.
pub(super) async fn count(
    unsealed: &Unsealed,
    request: &Request,
    route: Option<&Route>,
    known: &mut Known<'_>,
) -> Result<()> {
    let path = whole_path(unsealed, request, route);
    let counted = if let Some(counted) = request.counted {
        counted
    } else {
        let mut asked = Asked { namespace: unsealed.namespace.path.as_str(), path: &path, role: "" };
        let rates = unsealed.core.quotas.rates();
        let role = match route {
            Some(route) if rates.ask_role(&asked) => login_role(request, route).await?,
            Some(_) | None => String::new(),
        };
        asked.role = &role;
        rates.check(&asked, request.client.address, unsealed.deps.clock.now())
    };
    known.outcome.counted(&counted);
    if counted.is_err() {
        known.meter.metrics().requests.rate_limited.add();
    }
    let refused = || Error::new(Kind::RateLimited, format!("request path {path:?}: rate limit quota exceeded"));
    counted.map(|_| ()).map_err(|_| refused())
}

/// The path of a request as limits name it: from the root namespace, with names as policies see them.
fn whole_path<'r>(unsealed: &Unsealed, request: &'r Request, route: Option<&'r Route>) -> Cow<'r, str> {
    let namespace = unsealed.namespace.path.as_str();
    let path = route.map_or(&request.path, |route| &route.canonical).as_str().trim_end_matches('/');
    if namespace.is_empty() { Cow::Borrowed(path) } else { Cow::Owned(format!("{namespace}{path}")) }
}

/// The role that a request logs in with; empty for none.
async fn login_role(request: &Request, route: &Route) -> Result<String> {
    let Some(Routed::Engine(point, engine)) = &route.target else { return Ok(String::new()) };
    let path = route.canonical.as_str().strip_prefix(&point.entry.path).unwrap_or_default();
    Ok(engine.login_role(path, &request.body, &request.client).await?.unwrap_or_default())
}
