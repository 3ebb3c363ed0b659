//! `AclCache`: one compiled list for all tokens with the same policies.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::acl::{Acl, Source};
use super::name::PolicyName;
use super::template::TemplateFacts;
use crate::time::Timestamp;

/// Compiled lists by what they were compiled from. A changed policy is another key, so nothing is ever invalidated;
/// what is not used any more is pushed out. Holds at most as many lists as it was made for.
#[derive(Debug)]
pub struct AclCache {
    capacity: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    lists: HashMap<CacheKey, Entry>,
    /// Counts the requests, to know which entry was used last.
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    acl: Arc<Acl>,
    last_use: u64,
}

/// The policies, sorted, and the identity if one of them has placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CacheKey {
    policies: Vec<Revision>,
    facts: Option<TemplateFacts>,
    base: String,
}

/// One text of one policy of one namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Revision {
    namespace_id: String,
    name: PolicyName,
    digest: [u8; 32],
    expires: Option<Timestamp>,
}

impl AclCache {
    /// A cache of at most `capacity` lists.
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), inner: Mutex::default() }
    }

    /// The list for these policies and this identity, as it is at `now`, asked from the namespace at `base` in theirs.
    pub fn acl(&self, sources: &[Source], facts: &TemplateFacts, base: &str, now: Timestamp) -> Arc<Acl> {
        let key = CacheKey::new(sources, facts, base);
        if let Some(acl) = self.find(&key, now) {
            return acl;
        }
        // Compiled without the lock: two requests may do the same work, none waits for another's.
        let acl = Arc::new(Acl::compile(sources, facts, now).within(base));
        self.keep(key, &acl);
        acl
    }

    fn find(&self, key: &CacheKey, now: Timestamp) -> Option<Arc<Acl>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.uses = inner.uses.wrapping_add(1);
        let uses = inner.uses;
        let entry = inner.lists.get_mut(key)?;
        entry.last_use = uses;
        let is_current = entry.acl.valid_until().is_none_or(|until| now < until);
        is_current.then(|| Arc::clone(&entry.acl))
    }

    fn keep(&self, key: CacheKey, acl: &Arc<Acl>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.lists.len() >= self.capacity && !inner.lists.contains_key(&key) {
            let oldest = inner.lists.iter().min_by_key(|(_, entry)| entry.last_use).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                inner.lists.remove(&oldest);
            }
        }
        let last_use = inner.uses;
        inner.lists.insert(key, Entry { acl: Arc::clone(acl), last_use });
    }
}

impl CacheKey {
    fn new(sources: &[Source], facts: &TemplateFacts, base: &str) -> Self {
        let revision = |source: &Source| Revision {
            namespace_id: source.namespace_id.clone(),
            name: source.policy.name().clone(),
            digest: *source.policy.digest(),
            expires: source.expires,
        };
        let mut policies: Vec<Revision> = sources.iter().map(revision).collect();
        policies.sort_unstable();
        policies.dedup();
        let is_templated = sources.iter().any(|source| source.policy.is_templated());
        Self { policies, facts: is_templated.then(|| facts.clone()), base: base.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    const NOW: Timestamp = Timestamp::from_unix_nanos(1_000);

    fn source(namespace: &str, name: &str, text: &str) -> Source {
        let policy = Arc::new(Policy::parse(PolicyName::parse(name).unwrap(), text).unwrap());
        Source { namespace_id: namespace.to_owned(), policy, expires: None }
    }

    #[test]
    fn the_same_policies_share_a_list() {
        let cache = AclCache::new(8);
        let (a, b) = (source("root", "a", "path \"a\" {}"), source("root", "b", "path \"b\" {}"));
        let facts = TemplateFacts::default();
        let first = cache.acl(&[a.clone(), b.clone()], &facts, "", NOW);
        assert!(Arc::ptr_eq(&first, &cache.acl(&[b.clone(), a.clone(), a.clone()], &facts, "", NOW)));
        assert!(!Arc::ptr_eq(&first, &cache.acl(std::slice::from_ref(&a), &facts, "", NOW)));
        assert!(!Arc::ptr_eq(&first, &cache.acl(&[source("ns1", "a", "path \"a\" {}"), b.clone()], &facts, "", NOW)));
        assert!(!Arc::ptr_eq(&first, &cache.acl(&[source("root", "a", "path \"c\" {}"), b], &facts, "", NOW)));
    }

    #[test]
    fn identities_are_apart_only_where_it_matters() {
        let cache = AclCache::new(8);
        let plain = [source("root", "a", "path \"a\" {}")];
        let templated = [source("root", "b", "path \"{{identity.groups.names.x.id}}\" {}")];
        let facts = |id: &str| TemplateFacts {
            entity: None,
            groups: vec![crate::policy::GroupFacts { id: id.to_owned(), name: "x".to_owned(), ..Default::default() }],
        };
        assert!(Arc::ptr_eq(&cache.acl(&plain, &facts("1"), "", NOW), &cache.acl(&plain, &facts("2"), "", NOW)));
        assert!(!Arc::ptr_eq(
            &cache.acl(&templated, &facts("1"), "", NOW),
            &cache.acl(&templated, &facts("2"), "", NOW)
        ));
    }

    #[test]
    fn an_expired_rule_is_not_served_from_the_cache() {
        let cache = AclCache::new(8);
        let policies = [source("root", "a", "path \"a\" { capabilities = [\"read\"] expiration = 100 }")];
        let facts = TemplateFacts::default();
        assert_eq!(cache.acl(&policies, &facts, "", Timestamp::from_unix_seconds(99)).capabilities("a"), ["read"]);
        assert_eq!(cache.acl(&policies, &facts, "", Timestamp::from_unix_seconds(100)).capabilities("a"), ["deny"]);
    }

    #[test]
    fn it_does_not_grow() {
        let cache = AclCache::new(4);
        let facts = TemplateFacts::default();
        let kept = [source("root", "kept", "path \"a\" {}")];
        let first = cache.acl(&kept, &facts, "", NOW);
        for number in 0..1_000 {
            cache.acl(&[source("root", &format!("p{number}"), "path \"a\" {}")], &facts, "", NOW);
            assert!(Arc::ptr_eq(&first, &cache.acl(&kept, &facts, "", NOW)), "what is used stays");
        }
        assert_eq!(cache.inner.lock().unwrap().lists.len(), 4);
    }
}
