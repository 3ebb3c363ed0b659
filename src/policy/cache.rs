//! `AclCache`: one compiled list for all tokens with the same policies.
//!
//! Rules with placeholders are compiled apart, for each identity, and laid over what all share; everyone has a few of
//! them from the default policy. So an identity costs as much as its own rules and not as much as its policies.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::acl::{Acl, SharedRules, Source};
use super::document::Policy;
use super::template::TemplateFacts;
use crate::time::Timestamp;

/// Compiled lists by what they were compiled from. A changed policy, or a changed identity, is another key, so nothing is
/// ever invalidated; what is not used any more is pushed out. Both are known by where they lie in memory: they are kept
/// with the list, so nothing else can come to lie there.
#[derive(Debug)]
pub struct AclCache {
    compiled: Cache<CacheKey, Compiled, Rules>,
}

/// The policies and, for a list that is not for all, whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CacheKey {
    /// Where the policies lie, each once and in order, and when they end.
    policies: Arc<[(usize, Option<Timestamp>)]>,
    base: Arc<str>,
    holder: Holder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holder {
    /// What is the same for all.
    All,
    /// Whoever has no identity.
    Nobody,
    /// The identity whose facts lie at this address.
    Identity(usize),
}

#[derive(Clone, Debug)]
enum Compiled {
    Shared { rules: Arc<SharedRules>, _policies: Arc<[Arc<Policy>]> },
    Acl { acl: Arc<Acl>, _policies: Arc<[Arc<Policy>]>, _facts: Option<Arc<TemplateFacts>> },
}

/// What a list costs: its rules, but for those that it shares.
#[derive(Clone, Debug)]
struct Rules;

/// The most that one list counts for, so that each fits in.
const HEAVIEST: usize = 1024;

impl Weighter<CacheKey, Compiled> for Rules {
    fn weight(&self, _: &CacheKey, compiled: &Compiled) -> u64 {
        let rules = match compiled {
            Compiled::Shared { rules, .. } => rules.len(),
            Compiled::Acl { acl, .. } => acl.own_rules(),
        };
        // Beside its rules a list has a size of its own, that of about two.
        u64::try_from(rules.min(HEAVIEST)).unwrap_or(u64::MAX).saturating_add(2)
    }
}

impl AclCache {
    /// A cache of about so many rules.
    pub fn new(rules: u64) -> Self {
        let lists = usize::try_from(rules / 4).unwrap_or(usize::MAX);
        Self { compiled: Cache::with_weighter(lists, rules, Rules) }
    }

    /// The list for these policies and this identity, as it is at `now`, asked from the namespace at `base` in theirs. An
    /// identity, and a policy, is to be shared for as long as it holds: it is compiled once for each place where it lies.
    pub fn acl(&self, sources: &[Source], facts: &Arc<TemplateFacts>, base: &str, now: Timestamp) -> Arc<Acl> {
        let is_templated = sources.iter().any(|source| source.policy.is_templated());
        let is_nobody = facts.entity.is_none() && facts.groups.is_empty();
        let holder =
            if !is_templated || is_nobody { Holder::Nobody } else { Holder::Identity(Arc::as_ptr(facts).addr()) };
        let key = CacheKey { policies: places(sources), base: base.into(), holder };
        if let Some(Compiled::Acl { acl, .. }) = self.compiled.get(&key)
            && acl.valid_until().is_none_or(|until| now < until)
        {
            return acl;
        }
        // Compiled without a lock: two requests may do the same work, none waits for another's.
        let policies: Arc<[Arc<Policy>]> = sources.iter().map(|source| Arc::clone(&source.policy)).collect();
        let shared = self.shared(&key, &policies, sources, now);
        let acl = Arc::new(Acl::over(shared, sources, facts, now).within(base));
        let kept = matches!(holder, Holder::Identity(_)).then(|| facts.clone());
        self.compiled.insert(key, Compiled::Acl { acl: acl.clone(), _policies: policies, _facts: kept });
        acl
    }

    fn shared(
        &self,
        key: &CacheKey,
        policies: &Arc<[Arc<Policy>]>,
        sources: &[Source],
        now: Timestamp,
    ) -> Arc<SharedRules> {
        let key = CacheKey { holder: Holder::All, ..key.clone() };
        if let Some(Compiled::Shared { rules, .. }) = self.compiled.get(&key)
            && rules.valid_until().is_none_or(|until| now < until)
        {
            return rules;
        }
        let rules = Arc::new(SharedRules::compile(sources, now));
        self.compiled.insert(key, Compiled::Shared { rules: rules.clone(), _policies: policies.clone() });
        rules
    }
}

/// Where the policies lie and when they end, whatever their order was.
fn places(sources: &[Source]) -> Arc<[(usize, Option<Timestamp>)]> {
    let place = |source: &Source| (Arc::as_ptr(&source.policy).addr(), source.expires);
    let mut places: Vec<_> = sources.iter().map(place).collect();
    places.sort_unstable();
    places.dedup();
    places.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{DEFAULT_POLICY, EntityFacts, Policy, PolicyName};

    const NOW: Timestamp = Timestamp::from_unix_nanos(1_000);

    fn source(namespace: &str, name: &str, text: &str) -> Source {
        let policy = Arc::new(Policy::parse(PolicyName::parse(name).unwrap(), text).unwrap());
        Source { namespace_id: namespace.into(), policy, expires: None }
    }

    fn entity(id: &str) -> Arc<TemplateFacts> {
        let entity = EntityFacts { id: id.to_owned(), name: format!("name-{id}"), ..EntityFacts::default() };
        Arc::new(TemplateFacts { entity: Some(entity), groups: Vec::new() })
    }

    #[test]
    fn the_same_policies_share_a_list() {
        let cache = AclCache::new(1_000);
        let (a, b) = (source("root", "a", "path \"a\" {}"), source("root", "b", "path \"b\" {}"));
        let facts = Arc::default();
        let first = cache.acl(&[a.clone(), b.clone()], &facts, "", NOW);
        assert!(Arc::ptr_eq(&first, &cache.acl(&[b.clone(), a.clone(), a.clone()], &entity("1"), "", NOW)));
        for other in [
            vec![a.clone()],
            vec![source("ns1", "a", "path \"a\" {}"), b.clone()],
            vec![source("root", "a", "path \"c\" {}"), b.clone()],
            vec![Source { expires: Some(Timestamp::from_unix_seconds(9)), ..a.clone() }, b.clone()],
        ] {
            assert!(!Arc::ptr_eq(&first, &cache.acl(&other, &facts, "", NOW)));
        }
        assert!(!Arc::ptr_eq(&first, &cache.acl(&[a, b], &facts, "team/", NOW)), "asked from elsewhere");
    }

    #[test]
    fn identities_are_apart_only_where_it_matters() {
        let cache = AclCache::new(1_000);
        let policies = [source("root", "default", DEFAULT_POLICY)];
        let (one, two) = (entity("e1"), entity("e2"));
        let nobody = Arc::default();
        let own = |facts: &Arc<TemplateFacts>| cache.acl(&policies, facts, "", NOW);
        assert!(Arc::ptr_eq(&own(&one), &own(&one)) && !Arc::ptr_eq(&own(&one), &own(&two)));
        assert!(own(&one).own_rules() < 4, "what all have is not kept again for each");
        for (facts, path, allowed) in [
            (&one, "identity/entity/id/e1", "read"),
            (&two, "identity/entity/id/e1", "deny"),
            (&two, "identity/entity/name/name-e2", "read"),
            (&nobody, "identity/entity/id/e1", "deny"),
            (&nobody, "auth/token/lookup-self", "read"),
        ] {
            assert_eq!(own(facts).capabilities(path), [allowed], "{path}");
        }
        // A changed identity has other facts, wherever the old ones lay.
        for number in 0..100 {
            let renamed = entity(&format!("n{number}"));
            assert_eq!(own(&renamed).capabilities(&format!("identity/entity/id/n{number}")), ["read"]);
        }
    }

    #[test]
    fn an_expired_rule_is_not_served_from_the_cache() {
        let cache = AclCache::new(1_000);
        let text = "path \"a\" { capabilities = [\"read\"] expiration = 100 }
                    path \"b/{{identity.entity.id}}\" { capabilities = [\"read\"] expiration = 90 }";
        let policies = [source("root", "a", text)];
        for (second, path, allowed) in [(89, "b/e", "read"), (90, "b/e", "deny"), (99, "a", "read"), (100, "a", "deny")]
        {
            let facts = entity("e");
            assert_eq!(
                cache.acl(&policies, &facts, "", Timestamp::from_unix_seconds(second)).capabilities(path),
                [allowed]
            );
        }
        let facts = entity("e");
        assert_eq!(cache.acl(&policies, &facts, "", Timestamp::from_unix_seconds(89)).capabilities("b/e"), ["read"]);
        assert_eq!(cache.acl(&policies, &facts, "", Timestamp::from_unix_seconds(90)).capabilities("b/e"), ["deny"]);
    }

    #[test]
    fn it_does_not_grow() {
        let cache = AclCache::new(4_000);
        let default = [source("root", "default", DEFAULT_POLICY)];
        for number in 0..20_000 {
            cache.acl(&default, &entity(&format!("e{number}")), "", NOW);
        }
        assert!(cache.compiled.weight() <= 4_000 && cache.compiled.len() <= 2_000, "{}", cache.compiled.len());
        let (large, facts) = (format!("#{}", "path \"kv/a\" {}\n".repeat(50)), entity("e"));
        cache.acl(&[source("root", "large", &large)], &facts, "", NOW);
        assert!(cache.compiled.weight() <= 4_000);
    }

    #[test]
    fn what_is_kept_is_served_until_a_rule_ends_and_not_after() {
        let cache = AclCache::new(1_000);
        let policies = [source("root", "a", "path \"a\" { capabilities = [\"read\"] expiration = 100 }")];
        let facts = Arc::default();
        let at = |second| cache.acl(&policies, &facts, "", Timestamp::from_unix_seconds(second));
        let first = at(50);
        assert!(Arc::ptr_eq(&first, &at(99)), "it is kept");
        let after = at(101);
        assert_eq!((first.capabilities("a"), after.capabilities("a")), (vec!["read"], vec!["deny"]));
    }

    #[test]
    fn a_list_weighs_as_much_as_its_rules() {
        let cache = AclCache::new(1_000);
        let text = "path \"a\" {}\npath \"b\" {}\npath \"c/*\" {}\n\
                    path \"d/{{identity.entity.id}}\" {}\npath \"e/{{identity.entity.id}}/*\" {}";
        let policies = [source("root", "a", text)];
        cache.acl(&policies, &entity("e"), "", NOW);
        let (shared, own, lists) = (3, 2, 2);
        assert_eq!(cache.compiled.weight(), shared + own + 2 * lists);
    }
}
