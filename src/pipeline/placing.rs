//! Which namespace a request is for.

use std::sync::Arc;

use crate::api::{ApiPath, ROOT_NAMESPACE};
use crate::error::{Error, Result};
use crate::secret::ClientToken;
use crate::vault::Unsealed;

use super::request::Request;

/// What holders do with their own token: it may be asked for anywhere, and is done in the namespace of the token.
const OWN: [&str; 6] = [
    "auth/token/lookup-self",
    "auth/token/renew-self",
    "auth/token/revoke-self",
    "sys/wrapping/lookup",
    "sys/wrapping/rewrap",
    "sys/wrapping/unwrap",
];

/// The namespace that a request is for: the one that it names, or the one in it that its path leads into. What is left of
/// the path is the request's path from here on.
pub(super) fn place(root: &Arc<Unsealed>, request: &mut Request) -> Result<Arc<Unsealed>> {
    let found = root.core.namespaces.resolve(&request.namespace, request.path.as_str());
    let (found, rest) = found.ok_or_else(|| Error::not_found("namespace not found"))?;
    if rest.len() < request.path.as_str().len() {
        request.path = ApiPath::parse(rest).map_err(|error| Error::invalid(error.to_string()))?;
    }
    let own = request.token.as_ref().filter(|_| OWN.contains(&request.path.as_str()));
    Ok(own.and_then(|token| home(&found, token)).unwrap_or(found))
}

/// The namespace of `token`, if it lies in `found` or `found` lies in it.
fn home(found: &Unsealed, token: &ClientToken) -> Option<Arc<Unsealed>> {
    let namespaces = &found.core.namespaces;
    let home = namespaces.by_id(token.namespace_id().unwrap_or(ROOT_NAMESPACE))?;
    // One that is being removed serves nothing, its tokens among it.
    let home = namespaces.at(&home.namespace.path)?;
    let (own, asked) = (&home.namespace, &found.namespace);
    (own.contains(&asked.path) || asked.contains(&own.path)).then_some(home)
}
