//! What a compiled list says as a whole, for the endpoints that show callers where they may go.

use std::collections::BTreeMap;

use super::acl::Acl;
use super::capability::{Capabilities, Capability};

/// What a list says, by the form of its rules' paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Capabilities by exact path, sorted by name.
    pub exact: BTreeMap<String, Vec<&'static str>>,
    /// Capabilities by what the path begins with.
    pub prefixes: BTreeMap<String, Vec<&'static str>>,
}

impl Acl {
    /// Whether the list gives anything at or below `folder`, which ends in a slash: then its holder may know of it.
    pub fn reaches(&self, folder: &str) -> bool {
        // Asked as a name, not as a list: a rule for `kv` says nothing about what is in `kv/`. The best rule counts here,
        // so that a wide one does not reach past a narrower denial.
        let best = self.select(folder, false).map(|rule| rule.terms.capabilities);
        if self.is_root() || best.is_some_and(|capabilities| !is_denial(capabilities)) {
            return true;
        }
        let folder = format!("{}{folder}", self.base());
        self.said().any(|(path, capabilities)| !is_denial(capabilities) && can_lie_below(path, &folder))
    }

    /// The rules by path. Those with a plus as a segment have no place in this form and are left out, as the peer does.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for (path, capabilities) in self.said() {
            let Some(path) = self.seen_here(path) else { continue };
            let words = if is_denial(capabilities) {
                vec!["deny"]
            } else {
                capabilities.iter().map(Capability::as_str).collect()
            };
            if path.split('/').any(|segment| segment.trim_end_matches('*') == "+") {
                continue;
            }
            match path.strip_suffix('*') {
                Some(prefix) => summary.prefixes.insert(prefix.to_owned(), words),
                None => summary.exact.insert(path.to_owned(), words),
            };
        }
        summary
    }
}

impl Acl {
    /// A rule's path as it reads in the namespace that is asked about; nothing if it cannot match there.
    fn seen_here<'p>(&self, path: &'p str) -> Option<&'p str> {
        let wide = path.strip_suffix('*').is_some_and(|prefix| self.base().starts_with(prefix));
        path.strip_prefix(self.base()).or_else(|| wide.then_some("*"))
    }
}

fn is_denial(capabilities: Capabilities) -> bool {
    capabilities == Capabilities::DENY || capabilities.is_empty()
}

/// Whether something below `folder` could match the pattern `path`, looking no further than the segments of `folder`.
fn can_lie_below(path: &str, folder: &str) -> bool {
    let mut wanted = folder.trim_end_matches('/').split('/');
    let mut segments = path.split('/');
    loop {
        match (wanted.next(), segments.next()) {
            (None, Some(_)) => return true,
            (Some(_), Some("+")) => {}
            (Some(folder), Some(segment)) if folder == segment => {}
            (Some(_), Some(_)) | (_, None) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::policy::{Policy, PolicyName, Source, TemplateFacts};
    use crate::time::Timestamp;

    fn list(text: &str) -> Acl {
        let policy = Arc::new(Policy::parse(PolicyName::parse("p").unwrap(), text).unwrap());
        let source = Source { namespace_id: "root".into(), policy, expires: None };
        Acl::compile(&[source], &TemplateFacts::default(), Timestamp::from_unix_nanos(0))
    }

    #[test]
    fn a_rule_at_or_below_a_folder_reaches_it() {
        for text in ["kv/data/a", "kv/*", "kv/", "k*", "*", "+/data/a", "kv/+/a", "kv/a*"] {
            assert!(list(&format!("path \"{text}\" {{ capabilities = [\"read\"] }}")).reaches("kv/"), "{text}");
        }
        for text in ["kv", "kv2/a", "kv2*", "other/*", "a/kv/b", "+/"] {
            let acl = list(&format!("path \"{text}\" {{ capabilities = [\"read\"] }}"));
            assert!(!acl.reaches("kv/") || text == "+/", "{text}");
        }
        assert!(list("path \"a/b/c/*\" { capabilities = [\"read\"] }").reaches("a/b/"));
        assert!(!list("path \"a/c/*\" { capabilities = [\"read\"] }").reaches("a/b/"));
    }

    #[test]
    fn a_denial_reaches_nothing() {
        assert!(!list("path \"kv/*\" { capabilities = [\"deny\"] }").reaches("kv/"));
        let mixed = "path \"*\" { capabilities = [\"read\"] } path \"kv/*\" { capabilities = [\"deny\"] }";
        assert!(!list(mixed).reaches("kv/") && list(mixed).reaches("other/"));
        let exception = "path \"kv/*\" { capabilities = [\"deny\"] } path \"kv/a\" { capabilities = [\"read\"] }";
        assert!(list(exception).reaches("kv/"));
    }

    #[test]
    fn a_summary_has_exact_paths_and_prefixes() {
        let summary = list(
            "path \"a\" { capabilities = [\"update\", \"read\"] } path \"b/*\" { capabilities = [\"deny\"] } \
             path \"+/c\" { capabilities = [\"read\"] }",
        )
        .summary();
        assert_eq!(summary.exact, BTreeMap::from([("a".to_owned(), vec!["read", "update"])]));
        assert_eq!(summary.prefixes, BTreeMap::from([("b/".to_owned(), vec!["deny"])]));
    }
}
