//! `LeaseLimits`: the lease-count quotas in force, and how many leases each of them has.
//!
//! Counts are kept, not looked up: a lease that begins or ends costs the same however many there are. They are made by
//! a [`LeaseCensus`], when the vault is unsealed and when it changes which quota is for which lease. Leases come and go
//! meanwhile, and what was in force before stays in force until the census is done. To be exact all the same:
//!
//! 1. The changes that were under way when the census began are waited for: the store shows what came of them.
//! 2. The store is read, in no particular order. What changes from now on is noted by lease.
//! 3. The changes that began while it was read are waited for; what begins from now on is counted as it happens. The
//!    notes overrule what was read, whichever of the two came first.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::rule::LeaseLimit;
use super::scope::{Asked, Scope, deciding};

/// The quotas in force, with their counts. Clones are the same ones.
#[derive(Clone, Default)]
pub struct LeaseLimits {
    inner: Arc<Mutex<Inner>>,
    /// One census at a time.
    census: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Inner {
    enforced: Tally,
    counting: Option<Counting>,
    /// Counts the stages of censuses.
    stage: u64,
    /// The changes that began in this stage.
    under_way: TaskTracker,
}

#[derive(Default)]
struct Tally {
    /// The stage in which it came up; tells it from all others.
    since: u64,
    limits: Vec<LeaseLimit>,
    /// By the index of the limit. May be below zero for a moment during a census.
    counts: Vec<i64>,
}

struct Counting {
    tally: Tally,
    /// By a hash of the lease's id: the limit that it counts for; nothing for one that has ended.
    noted: HashMap<u64, Option<usize>>,
}

/// A lease that begins or ends, before it is known whether its records are written. Dropped, it has not happened.
#[must_use = "a change that is dropped has not happened"]
pub struct LeaseChange {
    limits: LeaseLimits,
    lease: u64,
    /// 1 or -1.
    step: i64,
    stage: u64,
    /// What it counts for in the tally of `reserved_in`.
    reserved: Option<usize>,
    reserved_in: u64,
    namespace: Arc<str>,
    path: String,
    role: String,
    _under_way: TaskTrackerToken,
}

/// A census. Dropped before its end it changes nothing.
pub struct LeaseCensus {
    limits: LeaseLimits,
    found: HashMap<u64, usize>,
    _only: tokio::sync::OwnedMutexGuard<()>,
}

impl LeaseLimits {
    /// A lease of the id `lease` begins. Nothing if that would be one too many, unless it is `forced`.
    pub fn begin(&self, lease: &str, namespace: &Arc<str>, role: &str, forced: bool) -> Option<LeaseChange> {
        let mut change = self.change(lease, namespace, role, 1);
        let mut inner = self.inner();
        let tally = &mut inner.enforced;
        change.reserved = tally.decide(&change.asked());
        change.reserved_in = tally.since;
        let (limit, count) = tally.entry(change.reserved).unzip();
        if let (Some(limit), Some(count)) = (limit, count) {
            let has_room = u64::try_from(*count).unwrap_or(0) < limit.max_leases;
            if !has_room && !forced {
                // Nothing was taken that would have to be given back.
                change.reserved = None;
                return None;
            }
            *count += 1;
        }
        drop(inner);
        Some(change)
    }

    /// A lease of the id `lease` ends.
    pub fn end(&self, lease: &str, namespace: &Arc<str>, role: &str) -> LeaseChange {
        self.change(lease, namespace, role, -1)
    }

    /// How many leases the limit `name` has.
    pub fn count(&self, name: &str) -> u64 {
        let inner = self.inner();
        let found = inner.enforced.limits.iter().zip(&inner.enforced.counts).find(|(limit, _)| limit.name == name);
        found.map_or(0, |(_, count)| u64::try_from(*count).unwrap_or(0))
    }

    /// Puts `limits` in force if that needs no census: there are none, or they are for the same leases as before.
    pub fn adopt(&self, limits: &[LeaseLimit]) -> bool {
        let mut inner = self.inner();
        if inner.counting.is_some() {
            return false;
        }
        let scopes = |limits: &[LeaseLimit]| limits.iter().map(|limit| limit.scope.clone()).collect::<Vec<Scope>>();
        if limits.is_empty() {
            inner.stage += 1;
            inner.enforced = Tally::new(inner.stage, Vec::new());
            return true;
        }
        let is_same = scopes(limits) == scopes(&inner.enforced.limits);
        if is_same {
            inner.enforced.limits = limits.to_vec();
        }
        is_same
    }

    /// Begins a census for `limits`: waits until the store shows every change that began before.
    pub async fn census(&self, limits: Vec<LeaseLimit>) -> LeaseCensus {
        let only = self.census.clone().lock_owned().await;
        let before = {
            let mut inner = self.inner();
            let before = inner.next_stage();
            let tally = Tally::new(inner.stage, limits);
            inner.counting = Some(Counting { tally, noted: HashMap::new() });
            before
        };
        let census = LeaseCensus { limits: self.clone(), found: HashMap::new(), _only: only };
        before.wait().await;
        census
    }

    fn change(&self, lease: &str, namespace: &Arc<str>, role: &str, step: i64) -> LeaseChange {
        let inner = self.inner();
        LeaseChange {
            limits: self.clone(),
            lease: hash(lease),
            step,
            stage: inner.stage,
            reserved: None,
            reserved_in: inner.enforced.since,
            namespace: namespace.clone(),
            path: path_of(namespace, lease),
            role: role.to_owned(),
            _under_way: inner.under_way.token(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LeaseCensus {
    /// Whether the role that made a lease could matter.
    pub fn asks_role(&self, lease: &str, namespace: &str) -> bool {
        let path = path_of(namespace, lease);
        let asked = Asked { namespace, path: &path, role: "" };
        let inner = self.limits.inner();
        let limits = inner.counting.as_ref().map_or(&[][..], |counting| &counting.tally.limits);
        limits.iter().any(|limit| limit.scope.asks_role(&asked))
    }

    /// There is a lease of the id `lease`.
    pub fn add(&mut self, lease: &str, namespace: &str, role: &str) {
        let path = path_of(namespace, lease);
        let asked = Asked { namespace, path: &path, role };
        let decided = self.limits.inner().counting.as_ref().and_then(|counting| counting.tally.decide(&asked));
        if let Some(index) = decided {
            self.found.insert(hash(lease), index);
        }
    }

    /// That were all of them. The limits are in force when this returns.
    pub async fn finish(mut self) {
        let noting = self.limits.inner().next_stage();
        noting.wait().await;
        let mut inner = self.limits.inner();
        let Some(Counting { mut tally, noted }) = inner.counting.take() else { return };
        for (lease, now) in noted {
            match now {
                Some(index) => drop(self.found.insert(lease, index)),
                None => drop(self.found.remove(&lease)),
            }
        }
        for index in self.found.values() {
            tally.step(Some(*index), 1);
        }
        inner.enforced = tally;
    }
}

impl Drop for LeaseCensus {
    fn drop(&mut self) {
        self.limits.inner().counting = None;
    }
}

impl LeaseChange {
    /// Its records are written.
    pub fn commit(mut self) {
        let limits = self.limits.clone();
        let mut inner = limits.inner();
        let was_reserved = self.step > 0 && self.reserved_in == inner.enforced.since;
        self.reserved = None;
        if !was_reserved {
            let index = inner.enforced.decide(&self.asked());
            inner.enforced.step(index, self.step);
        }
        let Some(Counting { tally, noted }) = &mut inner.counting else { return };
        let index = tally.decide(&self.asked());
        if self.stage == tally.since {
            noted.insert(self.lease, index.filter(|_| self.step > 0));
        } else if self.stage > tally.since {
            tally.step(index, self.step);
        }
    }

    fn asked(&self) -> Asked<'_> {
        Asked { namespace: &self.namespace, path: &self.path, role: &self.role }
    }
}

impl Drop for LeaseChange {
    fn drop(&mut self) {
        if let Some(index) = self.reserved.take() {
            let mut inner = self.limits.inner();
            if inner.enforced.since == self.reserved_in {
                inner.enforced.step(Some(index), -1);
            }
        }
    }
}

impl Inner {
    /// Begins another stage, and gives the changes of the last one.
    fn next_stage(&mut self) -> TaskTracker {
        self.stage += 1;
        let before = std::mem::take(&mut self.under_way);
        before.close();
        before
    }
}

impl Tally {
    fn new(since: u64, limits: Vec<LeaseLimit>) -> Self {
        Self { since, counts: vec![0; limits.len()], limits }
    }

    /// The index of the limit that `asked` counts for.
    fn decide(&self, asked: &Asked<'_>) -> Option<usize> {
        deciding(self.limits.iter().map(|limit| &limit.scope), asked)
    }

    fn entry(&mut self, index: Option<usize>) -> Option<(&LeaseLimit, &mut i64)> {
        let index = index?;
        Some((self.limits.get(index)?, self.counts.get_mut(index)?))
    }

    fn step(&mut self, index: Option<usize>, step: i64) {
        if let Some((_, count)) = self.entry(index) {
            *count += step;
        }
    }
}

/// The path of the request that made a lease: its id without its last segment.
fn path_of(namespace: &str, lease: &str) -> String {
    let path = lease.rsplit_once('/').map_or(lease, |(path, _)| path);
    format!("{namespace}{path}")
}

/// Ids are random: two of them have the same hash once in 2^64, and then the count is one off until the next census.
fn hash(lease: &str) -> u64 {
    let digest = ring::digest::digest(&ring::digest::SHA256, lease.as_bytes());
    digest.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

impl fmt::Debug for LeaseLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseLimits").field("limits", &self.inner().enforced.limits.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for LeaseChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseChange").field("step", &self.step).finish_non_exhaustive()
    }
}

impl fmt::Debug for LeaseCensus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseCensus").field("found", &self.found.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn limit(path: &str, role: &str, max_leases: u64) -> LeaseLimit {
        let scope = Scope { path: path.to_owned(), role: role.to_owned(), inheritable: path.is_empty() };
        LeaseLimit { name: format!("{path}{role}"), scope, max_leases }
    }

    fn root() -> Arc<str> {
        Arc::from("")
    }

    async fn with(limits: &[LeaseLimit], there: &[&str]) -> LeaseLimits {
        let counted = LeaseLimits::default();
        let mut census = counted.census(limits.to_vec()).await;
        for lease in there {
            census.add(lease, "", "");
        }
        census.finish().await;
        counted
    }

    fn begin(limits: &LeaseLimits, lease: &str) -> bool {
        limits.begin(lease, &root(), "", false).map(LeaseChange::commit).is_some()
    }

    #[tokio::test]
    async fn one_too_many_is_refused_until_one_ends() {
        let limits = with(&[limit("db/", "", 2)], &["db/creds/a/1", "kv/a/1"]).await;
        assert!(begin(&limits, "db/creds/a/2") && !begin(&limits, "db/creds/a/3") && begin(&limits, "kv/a/2"));
        assert_eq!(limits.count("db/"), 2);
        limits.end("db/creds/a/1", &root(), "").commit();
        assert!(begin(&limits, "db/creds/b/4") && !begin(&limits, "db/creds/b/5"));
    }

    #[tokio::test]
    async fn what_is_not_written_does_not_count() {
        let limits = with(&[limit("", "", 1)], &[]).await;
        let held = limits.begin("db/1", &root(), "", false).unwrap();
        assert!(limits.begin("db/2", &root(), "", false).is_none(), "what is under way takes its room");
        drop(held);
        drop(limits.end("db/1", &root(), ""));
        assert_eq!(limits.count(""), 0);
        limits.begin("db/3", &root(), "", false).unwrap().commit();
        limits.begin("db/4", &root(), "", true).unwrap().commit();
        assert_eq!(limits.count(""), 2);
    }

    #[tokio::test]
    async fn a_lease_counts_for_one_limit() {
        let rules = [limit("", "", 9), limit("auth/a/", "", 9), limit("auth/a/", "web", 1)];
        let limits = with(&rules, &["auth/a/login/h1", "kv/1"]).await;
        assert!(limits.begin("auth/a/login/h2", &root(), "web", false).map(LeaseChange::commit).is_some());
        assert!(limits.begin("auth/a/login/h3", &root(), "web", false).is_none());
        assert_eq!(rules.each_ref().map(|rule| limits.count(&rule.name)), [1, 1, 1]);
    }

    #[tokio::test]
    async fn a_raised_limit_keeps_its_count() {
        let limits = with(&[limit("db/", "", 1)], &["db/1"]).await;
        assert!(!begin(&limits, "db/2"));
        assert!(limits.adopt(&[limit("db/", "", 2)]) && begin(&limits, "db/2"));
        assert!(!limits.adopt(&[limit("db/creds", "", 2)]), "other leases must be counted first");
        assert!(limits.adopt(&[]) && begin(&limits, "db/3"));
    }

    #[tokio::test]
    async fn a_census_that_is_given_up_changes_nothing() {
        let limits = with(&[limit("db/", "", 1)], &["db/1"]).await;
        let mut census = limits.census(vec![limit("", "", 5)]).await;
        census.add("db/1", "", "");
        drop(census);
        assert_eq!((limits.count("db/"), limits.count("")), (1, 0));
    }

    #[tokio::test]
    async fn a_census_waits_for_what_is_under_way() {
        let limits = with(&[], &[]).await;
        let held = limits.begin("db/1", &root(), "", false).unwrap();
        let mut counting = Box::pin(limits.census(vec![limit("", "", 5)]));
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(counting.as_mut().poll(cx))).await;
        assert!(first.is_pending());
        held.commit();
        counting.await.finish().await;
        assert_eq!(limits.count(""), 0, "the store was read after it was written; here it holds nothing");
    }

    /// What happens to the leases in the store while a census reads them one by one.
    #[derive(Clone, Debug)]
    enum Step {
        Begin(u8),
        End(u8),
        /// The oldest change that is under way is written, and told of only later.
        Land,
        Read,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..12_u8).prop_map(Step::Begin),
            (0..12_u8).prop_map(Step::End),
            Just(Step::Land),
            Just(Step::Read)
        ];
        proptest::collection::vec(step, 0..60)
    }

    /// A store of leases, with those changes that are written and not yet told of.
    #[derive(Default)]
    struct Store {
        leases: BTreeSet<u8>,
        busy: BTreeSet<u8>,
        open: Vec<(u8, LeaseChange)>,
    }

    impl Store {
        fn start(&mut self, limits: &LeaseLimits, id: u8, begins: bool) {
            if self.leases.contains(&id) == begins || !self.busy.insert(id) {
                return;
            }
            let name = format!("db/{id}");
            let change = if begins {
                self.leases.insert(id);
                limits.begin(&name, &root(), "", true).unwrap()
            } else {
                self.leases.remove(&id);
                limits.end(&name, &root(), "")
            };
            self.open.push((id, change));
        }

        fn land(&mut self) {
            if !self.open.is_empty() {
                let (id, change) = self.open.remove(0);
                self.busy.remove(&id);
                change.commit();
            }
        }
    }

    proptest! {
        #[test]
        fn a_census_among_changes_is_exact(before in steps(), during in steps(), after in steps()) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let (limits, mut store) = (LeaseLimits::default(), Store::default());
                let play = |store: &mut Store, step: &Step| match step {
                    Step::Begin(id) => store.start(&limits, *id, true),
                    Step::End(id) => store.start(&limits, *id, false),
                    Step::Land => store.land(),
                    Step::Read => {}
                };
                for step in &before {
                    play(&mut store, step);
                }
                let waiting = limits.census(vec![limit("db/", "", 3)]);
                let landing = async { while !store.open.is_empty() { store.land() } };
                let (mut census, ()) = tokio::join!(waiting, landing);
                let mut next = 0;
                for step in during.iter().chain(&[const { Step::Read }; 12]) {
                    play(&mut store, step);
                    if matches!(step, Step::Read) {
                        if store.leases.contains(&next) {
                            census.add(&format!("db/{next}"), "", "");
                        }
                        next += 1;
                    }
                }
                let mut finishing = Box::pin(census.finish());
                let first = std::future::poll_fn(|cx| std::task::Poll::Ready(finishing.as_mut().poll(cx))).await;
                for step in &after {
                    play(&mut store, step);
                }
                while !store.open.is_empty() { store.land() }
                if first.is_pending() { finishing.await; }
                assert_eq!(limits.count("db/"), u64::try_from(store.leases.len()).unwrap());
                assert_eq!(begin(&limits, "db/other"), store.leases.len() < 3);
            });
        }
    }
}
