//! `Acl`: several policies compiled into one list in which a decision does not grow with the number of rules.
//!
//! One rule decides. Which one: the exact path; for lists also the exact path without its slash; else the best of the
//! wildcard rules that match (see [`super::trie`]); for lists, if there is none, the best one for the path without its
//! slash. A list is also refused by a wildcard rule for the path without its slash that denies and is the better one.
//! Rules with the same path add up, unless one of them denies: then nothing is left. There is no union over paths.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use super::capability::{Capabilities, Capability};
use super::decision::Matched;
use super::document::{PathRule, Policy, Terms};
use super::folding;
use super::listing::ListFilter;
use super::permit::GrantingPolicy;
use super::template::{NoValue, TemplateFacts};
use super::trie::{self, Trie};
use crate::api::{ApiPath, Operation};
use crate::time::Timestamp;

/// A policy as it applies to a token.
#[derive(Clone, Debug)]
pub struct Source {
    /// The id of the namespace that it is in.
    pub namespace_id: Arc<str>,
    /// Its text and rules.
    pub policy: Arc<Policy>,
    /// When the whole of it ends.
    pub expires: Option<Timestamp>,
}

/// A compiled access-control list.
#[derive(Debug)]
pub struct Acl {
    /// What every path that is asked about lies in: its policies are those of a namespace further out.
    base: String,
    /// What is the same for all who have these policies.
    shared: Arc<SharedRules>,
    /// What is only this identity's, laid over that: rules with placeholders. Where both have a rule for a path, this one
    /// says what both say.
    own: Layer,
    /// All of it once more for the paths whose names do not depend on case; made when one is asked about.
    folded: OnceLock<Layer>,
    warnings: Vec<String>,
    valid_until: Option<Timestamp>,
}

/// What several policies say whoever asks: their rules without placeholders.
#[derive(Debug)]
pub(super) struct SharedRules {
    /// Set for policies that allow everything.
    root: Option<Arc<GrantingPolicy>>,
    layer: Layer,
    valid_until: Option<Timestamp>,
}

/// Rules, found by path without looking at the others.
#[derive(Debug)]
struct Layer {
    /// Exact rules by path.
    exact: HashMap<String, Rule>,
    /// Wildcard rules, worst first.
    wildcards: Vec<Rule>,
    trie: Trie,
}

/// What all policies together say about one path.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) path: String,
    pub(super) terms: Terms,
    pub(super) origins: Vec<Origin>,
}

/// A policy's part in a rule.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The policy.
    pub policy: Arc<GrantingPolicy>,
    /// The rule's path as it is written there, with its placeholders.
    pub path: String,
    /// The line of its text on which the rule stands.
    pub line: u32,
    /// What it says there.
    pub capabilities: Capabilities,
}

impl Acl {
    /// Compiles policies for one identity, as they are at `now`. Rules whose placeholders have no value, or an unsafe
    /// one, are left out with a warning. The order of `sources` does not matter.
    pub fn compile(sources: &[Source], facts: &TemplateFacts, now: Timestamp) -> Self {
        Self::over(Arc::new(SharedRules::compile(sources, now)), sources, facts, now)
    }

    /// The same, over what is compiled already of the same policies.
    pub(super) fn over(shared: Arc<SharedRules>, sources: &[Source], facts: &TemplateFacts, now: Timestamp) -> Self {
        let mut compiler = Compiler::new(facts, now, Some(&shared.layer));
        compiler.valid_until = shared.valid_until;
        compiler.add_all(sources, |rule| rule.path.has_placeholder());
        let Compiler { rules, warnings, valid_until, .. } = compiler;
        let own = Layer::new(rules);
        Self { base: String::new(), own, folded: OnceLock::new(), shared, warnings, valid_until }
    }

    /// The same list asked about paths in a namespace that lies at `base` in the one of the policies.
    #[must_use]
    pub fn within(mut self, base: &str) -> Self {
        base.clone_into(&mut self.base);
        self.folded = OnceLock::new();
        self
    }

    /// The rule that decides about `operation` on `path`. It is asked for the decision next.
    pub fn rule(&self, operation: Operation, path: &ApiPath) -> Matched<'_> {
        Matched::new(operation, self.root(), self.select(path.as_str(), operation.is_listing()))
    }

    /// What the token may do at `path`, sorted by name, as `sys/capabilities` answers: `root` for everything, `deny`
    /// for nothing. A path that ends in a slash is asked about as a list; a slash at its start means nothing.
    pub fn capabilities(&self, path: &str) -> Vec<&'static str> {
        if self.is_root() {
            return vec!["root"];
        }
        let path = path.strip_prefix('/').unwrap_or(path);
        let found = self.select(path, path.ends_with('/')).map_or(Capabilities::DENY, |rule| rule.terms.capabilities);
        if found.is_empty() { vec!["deny"] } else { found.iter().map(Capability::as_str).collect() }
    }

    /// Whether the list allows everything.
    pub fn is_root(&self) -> bool {
        self.shared.root.is_some()
    }

    /// Whether `filters` let the reader of the list at `path` see `key`: it must be able to read what they point to,
    /// or to list it where the key is a folder.
    pub fn shows(&self, filters: &[ListFilter], path: &ApiPath, key: &str) -> bool {
        let wanted = if key.ends_with('/') { Capability::List } else { Capability::Read };
        self.is_root()
            || filters.iter().all(|filter| {
                let target = filter.path(path.as_str(), key);
                self.select(&target, target.ends_with('/')).is_some_and(|rule| rule.terms.capabilities.has(wanted))
            })
    }

    /// What went wrong when the policies were compiled: rules that were left out. For the log.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// When a rule ends, and the policies must be compiled anew.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// Every rule's path, placeholders replaced, and what it gives.
    pub(super) fn said(&self) -> impl Iterator<Item = (&str, Capabilities)> {
        self.rules().map(|rule| (rule.path.as_str(), rule.terms.capabilities))
    }

    /// What every path that is asked about lies in.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// All rules.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        let shared = self.shared.layer.rules().filter(|rule| self.own.at(&rule.path).is_none());
        self.own.rules().chain(shared)
    }

    /// How many rules it has beside those that it shares.
    pub(super) fn own_rules(&self) -> usize {
        self.own.len()
    }

    /// The policy that allows everything, if the list has it.
    pub(super) fn root(&self) -> Option<&Arc<GrantingPolicy>> {
        self.shared.root.as_ref()
    }

    pub(super) fn select(&self, path: &str, is_listing: bool) -> Option<&Rule> {
        let is_folded = folding::folds(path);
        let path = if self.base.is_empty() { Cow::Borrowed(path) } else { Cow::Owned(format!("{}{path}", self.base)) };
        if is_folded {
            let layer = self.folded.get_or_init(|| Layer::new(folding::rules(self.rules(), &self.base)));
            Layers { over: layer, under: None }.select(&folding::path(&path, &self.base), is_listing)
        } else {
            Layers { over: &self.own, under: Some(&self.shared.layer) }.select(&path, is_listing)
        }
    }
}

/// Where rules are looked for.
#[derive(Clone, Copy)]
struct Layers<'r> {
    over: &'r Layer,
    under: Option<&'r Layer>,
}

impl<'r> Layers<'r> {
    fn select(self, path: &str, is_listing: bool) -> Option<&'r Rule> {
        let bare = path.strip_suffix('/').filter(|_| is_listing);
        let exact = |path: &str| self.over.exact.get(path).or_else(|| self.under?.exact.get(path));
        exact(path).or_else(|| exact(bare?)).or_else(|| self.best_wildcard(path, bare))
    }

    /// The wildcard rule that decides.
    fn best_wildcard(self, path: &str, bare: Option<&str>) -> Option<&'r Rule> {
        let best = self.best(path);
        let without_slash = bare.and_then(|bare| self.best(bare));
        let denies = |rule: &&Rule| rule.terms.capabilities == Capabilities::DENY;
        if best.is_none() { without_slash } else { better(without_slash.filter(denies), best) }
    }

    /// The best wildcard rule that matches `path`.
    fn best(self, path: &str) -> Option<&'r Rule> {
        better(self.under.and_then(|layer| layer.best(path)), self.over.best(path))
    }
}

/// The better one of two wildcard rules; of two for the same path the second.
fn better<'r>(first: Option<&'r Rule>, second: Option<&'r Rule>) -> Option<&'r Rule> {
    match (first, second) {
        (Some(first), Some(second)) if trie::rank(&first.path) > trie::rank(&second.path) => Some(first),
        (first, second) => second.or(first),
    }
}

impl SharedRules {
    /// Compiles what does not depend on an identity. The order of `sources` does not matter.
    pub(super) fn compile(sources: &[Source], now: Timestamp) -> Self {
        let nobody = TemplateFacts::default();
        let mut compiler = Compiler::new(&nobody, now, None);
        compiler.add_all(sources, |rule| !rule.path.has_placeholder());
        let root = sources.iter().find(|source| source.policy.name().is_root()).map(granting);
        let Compiler { rules, valid_until, .. } = compiler;
        Self { root, layer: Layer::new(rules), valid_until }
    }

    /// How many rules there are.
    pub(super) fn len(&self) -> usize {
        self.layer.len()
    }

    /// When a rule ends, and the policies must be compiled anew.
    pub(super) fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }
}

impl Layer {
    fn new(rules: BTreeMap<String, Rule>) -> Self {
        let (mut wildcards, exact): (Vec<Rule>, Vec<Rule>) =
            rules.into_values().partition(|rule| trie::is_wildcard(&rule.path));
        wildcards.sort_by(|a, b| trie::rank(&a.path).cmp(&trie::rank(&b.path)));
        Self {
            trie: Trie::new(wildcards.iter().map(|rule| rule.path.as_str()).enumerate()),
            wildcards,
            exact: exact.into_iter().map(|rule| (rule.path.clone(), rule)).collect(),
        }
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.exact.values().chain(&self.wildcards)
    }

    fn len(&self) -> usize {
        self.exact.len() + self.wildcards.len()
    }

    /// The rule whose path is written like this.
    fn at(&self, path: &str) -> Option<&Rule> {
        let wildcard = || {
            let found = self.wildcards.binary_search_by(|rule| trie::rank(&rule.path).cmp(&trie::rank(path)));
            self.wildcards.get(found.ok()?)
        };
        self.exact.get(path).or_else(wildcard)
    }

    /// The best wildcard rule that matches `path`.
    fn best(&self, path: &str) -> Option<&Rule> {
        if self.wildcards.is_empty() {
            return None;
        }
        self.wildcards.get(self.trie.best(path)?)
    }
}

struct Compiler<'a> {
    facts: &'a TemplateFacts,
    now: Timestamp,
    /// What the rules are laid over.
    under: Option<&'a Layer>,
    rules: BTreeMap<String, Rule>,
    warnings: Vec<String>,
    valid_until: Option<Timestamp>,
}

impl<'a> Compiler<'a> {
    fn new(facts: &'a TemplateFacts, now: Timestamp, under: Option<&'a Layer>) -> Self {
        Self { facts, now, under, rules: BTreeMap::new(), warnings: Vec::new(), valid_until: None }
    }

    /// Adds those rules of all policies that hold now and are `wanted`.
    fn add_all(&mut self, sources: &[Source], wanted: impl Fn(&PathRule) -> bool) {
        for source in sources {
            if !source.policy.name().is_root() && self.is_current(source.expires) {
                self.add(source, &wanted);
            }
        }
    }

    /// Whether something that ends at `expires` still holds; if so, its end bounds how long the list is good.
    fn is_current(&mut self, expires: Option<Timestamp>) -> bool {
        let Some(expires) = expires else { return true };
        let is_current = self.now < expires;
        if is_current {
            self.valid_until = Some(self.valid_until.map_or(expires, |until| until.min(expires)));
        }
        is_current
    }

    fn add(&mut self, source: &Source, wanted: impl Fn(&PathRule) -> bool) {
        for rule in source.policy.rules().iter().filter(|rule| wanted(rule)) {
            if !self.is_current(rule.expires) {
                continue;
            }
            match rule.path.resolve(self.facts) {
                Ok(path) => self.merge(path, rule, source),
                Err(reason) => self.warnings.push(warning(source, rule.line, reason)),
            }
        }
    }

    fn merge(&mut self, path: String, rule: &PathRule, source: &Source) {
        let origin = Origin {
            policy: granting(source),
            path: rule.path.as_str().to_owned(),
            line: rule.line,
            capabilities: rule.terms.capabilities,
        };
        let under = self.under;
        let known = self.rules.entry(path).or_insert_with_key(|path| match under.and_then(|layer| layer.at(path)) {
            Some(rule) => rule.clone(),
            None => Rule { path: path.clone(), terms: Terms::default(), origins: Vec::new() },
        });
        known.terms.merge(&rule.terms);
        known.origins.push(origin);
    }
}

fn warning(source: &Source, line: u32, reason: NoValue) -> String {
    let reason = match reason {
        NoValue::Unresolved => "a placeholder has no value for this identity",
        NoValue::Unsafe => "a placeholder's value is empty or has one of the characters * + /",
    };
    format!("policy \"{}\": the rule on line {line} is left out: {reason}", source.policy.name())
}

fn granting(source: &Source) -> Arc<GrantingPolicy> {
    let name = source.policy.name().as_str().to_owned();
    Arc::new(GrantingPolicy { name, namespace_id: source.namespace_id.to_string(), kind: "acl" })
}

impl Terms {
    /// Adds what another rule for the same path says. Where both set a limit the smaller one counts.
    pub(super) fn merge(&mut self, other: &Self) {
        let Self { capabilities, parameters, wrap_bounds, page_limit, list_filters } = other;
        self.capabilities = self.capabilities.union(*capabilities);
        self.parameters.merge(parameters);
        self.wrap_bounds.min = smaller(self.wrap_bounds.min, wrap_bounds.min);
        self.wrap_bounds.max = smaller(self.wrap_bounds.max, wrap_bounds.max);
        self.page_limit = smaller(self.page_limit, *page_limit);
        self.list_filters.extend(
            list_filters.iter().filter(|filter| !self.list_filters.contains(filter)).cloned().collect::<Vec<_>>(),
        );
    }
}

fn smaller<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
