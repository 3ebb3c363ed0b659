//! `Scope`: which requests, and which leases, a quota is for.

use serde::{Deserialize, Serialize};

/// What a quota is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Nothing for everything, a namespace or a mount (with a slash at its end), a path, or what paths begin with (with a
    /// star at its end). Begins in the root namespace.
    pub path: String,
    /// The role that a login is for, where `path` is an auth method with roles; empty for all requests.
    #[serde(default)]
    pub role: String,
    /// Whether the quota of a namespace holds for those within it too.
    pub inheritable: bool,
}

/// A request, or the request that made a lease.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The path of its namespace, with a slash at its end; empty for the root.
    pub namespace: &'a str,
    /// Its whole path, without a slash at its end; begins with that of the namespace.
    pub path: &'a str,
    /// The role that it logs in with; empty for none.
    pub role: &'a str,
}

/// How well a quota fits; of several the greatest decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    role: bool,
    kind: Kind,
    length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Everything,
    Namespace,
    Mount,
    Prefix,
    Path,
}

impl Scope {
    /// How well this scope fits; nothing if it does not. A role counts for more than a path, a path for more than a mount,
    /// a mount for more than a namespace, an inner namespace for more than an outer one.
    pub(super) fn fit(&self, asked: &Asked<'_>) -> Option<Fit> {
        // Names of roles do not depend on case, in no method that has them.
        if !self.role.is_empty() && !self.role.eq_ignore_ascii_case(asked.role) {
            return None;
        }
        Some(Fit { role: !self.role.is_empty(), kind: self.kind(asked)?, length: self.path.len() })
    }

    /// Whether a role decides if this scope fits.
    pub(super) fn asks_role(&self, asked: &Asked<'_>) -> bool {
        !self.role.is_empty() && self.kind(asked).is_some()
    }

    /// Whether it is for what lies in `place`, a namespace or a mount (with a slash at its end).
    pub fn lies_in(&self, place: &str) -> bool {
        self.path.starts_with(place)
    }

    fn kind(&self, asked: &Asked<'_>) -> Option<Kind> {
        let path = self.path.as_str();
        if path == asked.namespace || self.inheritable && asked.namespace.starts_with(path) {
            return Some(if path.is_empty() { Kind::Everything } else { Kind::Namespace });
        }
        // What is for another namespace does not reach into this one.
        let within = path.strip_prefix(asked.namespace)?;
        if let Some(mount) = path.strip_suffix('/') {
            let below = asked.path.strip_prefix(mount)?;
            (below.is_empty() || below.starts_with('/')).then_some(Kind::Mount)
        } else if let Some(prefix) = path.strip_suffix('*') {
            (!within.is_empty() && asked.path.starts_with(prefix)).then_some(Kind::Prefix)
        } else {
            (asked.path == path).then_some(Kind::Path)
        }
    }
}

/// The index of the scope that decides.
pub(super) fn deciding<'s>(scopes: impl Iterator<Item = &'s Scope>, asked: &Asked<'_>) -> Option<usize> {
    let fitting = scopes.enumerate().filter_map(|(index, scope)| Some((scope.fit(asked)?, index)));
    fitting.max_by_key(|(fit, _)| *fit).map(|(_, index)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(path: &str, role: &str, inheritable: bool) -> Scope {
        Scope { path: path.to_owned(), role: role.to_owned(), inheritable }
    }

    fn asked<'a>(namespace: &'a str, path: &'a str, role: &'a str) -> Asked<'a> {
        Asked { namespace, path, role }
    }

    #[test]
    fn the_closer_scope_fits_better() {
        let order = ["", "kv/", "kv/*", "kv/a*", "kv/a/b"];
        let request = asked("", "kv/a/b", "");
        let fits: Vec<_> = order.iter().map(|path| scope(path, "", false).fit(&request).unwrap()).collect();
        assert!(fits.is_sorted(), "{fits:?}");
        assert!(scope("kv/", "", false).fit(&asked("", "kv", "")).is_some());
        for path in ["kv2/", "kv/b*", "kv/a", "other/", "k/"] {
            assert_eq!(scope(path, "", true).fit(&request), None, "{path}");
        }
    }

    #[test]
    fn a_namespace_has_its_own_and_what_it_inherits() {
        let request = asked("team/web/", "team/web/kv/a", "");
        for (path, inheritable, fits) in [
            ("", true, true),
            ("", false, false),
            ("team/", true, true),
            ("team/", false, false),
            ("team/web/", false, true),
            ("team/web/kv/", false, true),
            ("team/web/kv/*", false, true),
            ("team/web/kv/a", false, true),
            ("team/w*", false, false),
            ("other/", true, false),
        ] {
            assert_eq!(scope(path, "", inheritable).fit(&request).is_some(), fits, "{path} {inheritable}");
        }
        let outer = scope("team/", "", true).fit(&request);
        assert!(scope("", "", true).fit(&request) < outer && outer < scope("team/web/", "", false).fit(&request));
    }

    #[test]
    fn a_role_counts_for_more_than_a_path() {
        let login = asked("", "auth/approle/login", "web");
        let of_role = scope("auth/approle/", "web", false);
        assert!(of_role.fit(&login) > scope("auth/approle/login", "", false).fit(&login));
        assert_eq!(of_role.fit(&asked("", "auth/approle/login", "db")), None);
        assert_eq!(of_role.fit(&asked("", "auth/approle/role", "")), None);
        assert!(of_role.asks_role(&asked("", "auth/approle/login", "")));
        assert!(!of_role.asks_role(&asked("", "kv/a", "")) && !scope("", "", true).asks_role(&login));
    }
}
