//! Which namespace a request is for.

use std::sync::Arc;

use crate::api::{ApiPath, ROOT_NAMESPACE};
use crate::error::{Error, Kind, Result};
use crate::mount::Stay;
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

/// What a locked namespace still answers.
const UNLOCK: &str = "sys/namespaces/api-lock/unlock";

/// A request's namespace, whose removal waits until this is dropped.
pub(super) struct Placed {
    pub(super) unsealed: Arc<Unsealed>,
    _stay: Stay,
}

/// The namespace that a request is for: the one that it names, or the one in it that its path leads into. What is left of
/// the path is the request's path from here on.
pub(super) fn place(root: &Arc<Unsealed>, request: &mut Request) -> Result<Placed> {
    let Some((found, rest)) = root.core.namespaces.resolve(&request.namespace, request.path.as_str()) else {
        // The audit log is to say what was asked for.
        let asked = ApiPath::parse(&format!("{}{}", request.namespace, request.path));
        request.path = asked.unwrap_or_default();
        return Err(unknown());
    };
    if rest.len() < request.path.as_str().len() {
        request.path = ApiPath::parse(rest).map_err(|error| Error::invalid(error.to_string()))?;
    }
    let own = request.token.as_ref().filter(|_| OWN.contains(&request.path.as_str()));
    let unsealed = own.and_then(|token| home(&found, token)).unwrap_or(found);
    if let Some(locked) = root.core.namespaces.lock_over(&unsealed.namespace.path)
        && (locked != unsealed.namespace.path || request.path.as_str() != UNLOCK)
    {
        return Err(Error::new(
            Kind::Locked,
            format!(
                "API access to this namespace has been locked by an administrator - {locked:?} must be unlocked to gain \
                 access."
            ),
        ));
    }
    let stay = unsealed.gate.let_in().ok_or_else(unknown)?;
    Ok(Placed { unsealed, _stay: stay })
}

fn unknown() -> Error {
    Error::not_found("namespace not found")
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
