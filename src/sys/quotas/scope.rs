//! From what a caller writes to what a quota is for.

use crate::api::LooseBool;
use crate::error::{Error, Result};
use crate::mount::Backend;
use crate::quota::Scope;
use crate::vault::Unsealed;

/// The scope of a quota of the root namespace. What lies in no mount would never be asked for.
pub(super) fn scope(path: &str, role: String, inheritable: Option<LooseBool>, root: &Unsealed) -> Result<Scope> {
    let path = scoped_path(path, &role, root)?;
    Ok(Scope { inheritable: inheritable.map_or(path.is_empty(), |flag| flag.0), path, role })
}

/// The path in its one spelling: with a slash at its end if it is that of a namespace or of a mount, else without.
fn scoped_path(text: &str, role: &str, root: &Unsealed) -> Result<String> {
    let text = text.trim_start_matches('/');
    // A namespace may be called without a slash at its end.
    let folder = if text.is_empty() || text.ends_with(['/', '*']) { text.to_owned() } else { format!("{text}/") };
    let (home, rest) =
        root.core.namespaces.resolve("", &folder).ok_or_else(|| Error::internal("there is no root namespace"))?;
    let namespace = &home.namespace.path;
    if rest.is_empty() {
        return if role.is_empty() { Ok(namespace.clone()) } else { Err(no_method(namespace)) };
    }
    let (point, below) =
        home.mounts.route(rest).ok_or_else(|| Error::invalid("invalid mount path: 'path' leads into no mount"))?;
    let mount = format!("{namespace}{}", point.entry.path);
    if role.is_empty() {
        return Ok(if below.is_empty() { mount } else { text.trim_end_matches('/').to_owned() });
    }
    if !below.is_empty() {
        return Err(Error::invalid(
            "Quotas cannot contain both a path suffix and a role. If a role is provided, path must be a valid auth mount \
             with a concept of roles",
        ));
    }
    if !point.entry.path.starts_with("auth/") {
        return Err(no_method(&mount));
    }
    match &point.backend {
        Backend::Engine(engine) if engine.has_roles() => Ok(mount),
        Backend::Engine(_) | Backend::System | Backend::Token | Backend::Identity | Backend::Unopened => {
            Err(Error::invalid(format!("Mount path {mount:?} does not support use with role-based quotas")))
        }
    }
}

fn no_method(path: &str) -> Error {
    Error::invalid(format!(
        "Mount path {path:?} is not a valid auth method and therefore unsuitable for use with role-based quotas"
    ))
}

/// The refusal of a second quota for the same.
pub(super) fn refuse_same<'q>(
    quotas: impl Iterator<Item = (&'q String, &'q Scope)>,
    name: &str,
    scope: &Scope,
) -> Result<()> {
    let mut others = quotas.filter(|(other, _)| other.as_str() != name);
    match others.find(|(_, other)| other.path == scope.path && other.role.eq_ignore_ascii_case(&scope.role)) {
        Some((other, _)) => {
            Err(Error::invalid(format!("quota rule with similar properties exists under the name {other:?}")))
        }
        None => Ok(()),
    }
}
