use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::api::Ttl;
use crate::barrier::{Barrier, Txn};
use crate::engine::{Bounds, NewLease, Renewal};
use crate::entropy::SeededEntropy;
use crate::error::{Error, Kind, Result};
use crate::secret::RootKey;
use crate::storage::MemoryStorage;
use crate::time::{Clock, ManualClock, Timestamp};

mod model;
mod orders;
mod renewals;

#[derive(Default)]
struct Ledger {
    undone: Mutex<Vec<String>>,
    broken: Mutex<bool>,
}

#[async_trait]
impl Revoker for Ledger {
    async fn undo(&self, lease: &Lease) -> Result<()> {
        if *self.broken.lock().unwrap() {
            return Err(Error::internal("the database is away"));
        }
        self.undone.lock().unwrap().push(lease.id.clone());
        Ok(())
    }

    async fn renew(&self, _: &Lease, _: Timestamp) -> Result<Renewal> {
        Ok(Renewal::AsAsked)
    }
}

struct Fixture {
    leases: Arc<LeaseManager>,
    clock: Arc<ManualClock>,
    ledger: Arc<Ledger>,
    barrier: Arc<Barrier>,
    counter: Arc<Counter>,
}

/// Counts what begins and ends, and refuses what it is told to.
#[derive(Default)]
struct Counter {
    count: Arc<Mutex<i64>>,
    full: Mutex<bool>,
}

impl Census for Counter {
    fn begin(&self, _: &str, _: &str, forced: bool) -> Result<Counted> {
        if *self.full.lock().unwrap() && !forced {
            return Err(Error::new(Kind::RateLimited, "too many leases"));
        }
        let count = self.count.clone();
        Ok(Box::new(move || *count.lock().unwrap() += 1))
    }

    fn end(&self, _: &str, _: &str) -> Counted {
        let count = self.count.clone();
        Box::new(move || *count.lock().unwrap() -= 1)
    }
}

const BOUNDS: Bounds = Bounds {
    default_ttl: Ttl::from_seconds(100),
    max_ttl: Ttl::from_seconds(1000),
    period: Ttl::from_seconds(0),
    explicit_max_ttl: Ttl::from_seconds(0),
};

const GRANT: Grant<'static> =
    Grant { path: "db/creds/app", mount: "uuid", bounds: BOUNDS, owner: LeaseOwner { token_id: "owner", ends: None } };

async fn fixture() -> Fixture {
    founded(5).await.0
}

/// A fixture, with the store below it and what opens it again.
async fn founded(seed: u64) -> (Fixture, Arc<MemoryStorage>, RootKey) {
    let entropy = Arc::new(SeededEntropy::new(seed));
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_000_000)));
    let root = RootKey::generate(&*entropy).unwrap();
    let storage = Arc::new(MemoryStorage::new());
    let mut txn = Txn::new();
    let barrier = Barrier::create(storage.clone(), &root, entropy.clone(), clock.now(), &mut txn).unwrap();
    barrier.commit(txn).await.unwrap();
    let counter = Arc::new(Counter::default());
    let leases = Arc::new(LeaseManager::new(barrier.clone(), "root", entropy, clock.clone(), counter.clone()));
    let ledger = Arc::new(Ledger::default());
    (Fixture { leases, clock, ledger, barrier, counter }, storage, root)
}

async fn register(f: &Fixture, grant: &Grant<'_>) -> Lease {
    let mut txn = Txn::new();
    let (lease, _) = f.leases.register(NewLease::of(&json!({"user": "u"})).unwrap(), grant, &mut txn).await.unwrap();
    f.barrier.commit(txn).await.unwrap();
    lease
}

async fn register_many(f: &Fixture, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(register(f, &GRANT).await.id);
    }
    ids
}

impl Fixture {
    fn undone(&self) -> usize {
        self.ledger.undone.lock().unwrap().len()
    }

    async fn sweep(&self) -> usize {
        self.leases.sweep(&*self.ledger, &CancellationToken::new()).await.unwrap()
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

#[tokio::test]
async fn a_lease_ends_when_it_is_due_and_not_before() {
    let f = fixture().await;
    let lease = register(&f, &GRANT).await;
    f.advance(99);
    assert_eq!(f.sweep().await, 0);
    f.advance(1);
    f.sweep().await;
    assert_eq!(*f.ledger.undone.lock().unwrap(), std::slice::from_ref(&lease.id));
    assert!(f.leases.lease(&lease.id).await.unwrap().is_none());
    assert!(f.leases.owned_by("owner").await.unwrap().is_empty());
    assert_eq!(f.sweep().await, 0);
}

#[tokio::test]
async fn a_renewal_moves_the_end_and_stops_at_the_bound() {
    let f = fixture().await;
    let lease = register(&f, &GRANT).await;
    for (after, left) in [(90, 100), (90, 100), (90, 730)] {
        f.advance(after);
        let mut txn = Txn::new();
        let asked = if left == 730 { Ttl::from_seconds(5000) } else { Ttl::default() };
        let (renewed, _) = f.leases.renew(&lease.id, asked, BOUNDS, &*f.ledger, &mut txn).await.unwrap();
        f.barrier.commit(txn).await.unwrap();
        assert_eq!(renewed.remaining(f.clock.now()), left);
    }
    f.advance(729);
    assert_eq!(f.sweep().await, 0);
    f.advance(1);
    f.sweep().await;
    assert_eq!(f.undone(), 1);
}

#[tokio::test]
async fn a_failed_revocation_is_tried_again_and_seen() {
    let f = fixture().await;
    let lease = register(&f, &GRANT).await;
    *f.ledger.broken.lock().unwrap() = true;
    assert!(f.leases.revoke(&lease.id, &*f.ledger).await.is_err());
    for _ in 0..6 {
        f.advance(3600);
        f.sweep().await;
    }
    assert!(f.leases.lease(&lease.id).await.unwrap().unwrap().is_irrevocable());
    *f.ledger.broken.lock().unwrap() = false;
    f.advance(3600);
    f.sweep().await;
    assert!(f.leases.lease(&lease.id).await.unwrap().is_none());
    f.leases.revoke(&lease.id, &*f.ledger).await.unwrap();
    assert_eq!(f.undone(), 1);
}

async fn intend(f: &Fixture) -> crate::engine::Intent {
    let mut txn = Txn::new();
    let intent = f.leases.intend(NewLease::of(&json!({"user": "u"})).unwrap(), &GRANT, &mut txn).unwrap();
    f.barrier.commit(txn).await.unwrap();
    intent
}

#[tokio::test]
async fn an_intent_that_is_not_granted_is_undone() {
    let f = fixture().await;
    let intent = intend(&f).await;
    assert!(!f.leases.lease(&intent.lease_id).await.unwrap().unwrap().is_live(f.clock.now()));
    f.advance(301);
    f.sweep().await;
    assert_eq!(*f.ledger.undone.lock().unwrap(), std::slice::from_ref(&intent.lease_id));
    let mut late = NewLease::of(&json!({"user": "u"})).unwrap();
    late.intent = Some(intent);
    assert!(f.leases.register(late, &GRANT, &mut Txn::new()).await.is_err());
}

#[tokio::test]
async fn a_granted_intent_is_an_ordinary_lease() {
    let f = fixture().await;
    let intent = intend(&f).await;
    let mut new = NewLease::of(&json!({"user": "u"})).unwrap();
    new.ttl = Ttl::from_seconds(500);
    new.intent = Some(intent);
    let mut txn = Txn::new();
    let (lease, _) = f.leases.register(new, &GRANT, &mut txn).await.unwrap();
    f.barrier.commit(txn).await.unwrap();
    f.advance(400);
    assert_eq!(f.sweep().await, 0);
    let owned = OwnedLease { lease_id: lease.id.clone(), namespace_id: "root".to_owned() };
    assert_eq!(f.leases.owned_by("owner").await.unwrap(), [owned]);
    assert_eq!(f.leases.below("db/creds").await.unwrap(), [lease.id]);
}

#[tokio::test]
async fn a_lease_of_a_batch_token_ends_with_it() {
    let f = fixture().await;
    let ends = Some(f.clock.now().plus(Duration::from_secs(30)));
    let owner = LeaseOwner { token_id: "owner", ends };
    let lease = register(&f, &Grant { owner, ..GRANT }).await;
    assert_eq!(lease.remaining(f.clock.now()), 30);
    f.advance(10);
    let mut txn = Txn::new();
    let asked = Ttl::from_seconds(3000);
    let (lease, granted) = f.leases.renew(&lease.id, asked, BOUNDS, &*f.ledger, &mut txn).await.unwrap();
    assert_eq!((granted.ttl, lease.expires), (Ttl::from_seconds(20), ends));
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Broken {}

impl crate::barrier::Record for Broken {}

#[tokio::test]
async fn what_cannot_be_read_keeps_nothing_behind_it_from_ending() {
    let f = fixture().await;
    let mut txn = Txn::new();
    for number in 0..600 {
        f.leases.due.put(&mut txn, &format!("{number:012}-broken"), &Broken {}).unwrap();
    }
    f.barrier.commit(txn).await.unwrap();
    register(&f, &GRANT).await;
    f.advance(100);
    f.sweep().await;
    assert_eq!(f.undone(), 1);
}

#[tokio::test]
async fn each_lease_is_counted_once() {
    let f = fixture().await;
    let count = || *f.counter.count.lock().unwrap();
    let first = register(&f, &GRANT).await;
    register(&f, &GRANT).await;
    assert_eq!(count(), 2);
    let mut txn = Txn::new();
    f.leases.renew(&first.id, Ttl::default(), BOUNDS, &*f.ledger, &mut txn).await.unwrap();
    f.barrier.commit(txn).await.unwrap();
    assert_eq!(count(), 2, "a renewal makes no lease");
    f.leases.doom(&first.id).await.unwrap();
    assert_eq!(count(), 2, "what is to be undone is there until it is undone");
    f.leases.revoke(&first.id, &*f.ledger).await.unwrap();
    f.leases.revoke(&first.id, &*f.ledger).await.unwrap();
    assert_eq!(count(), 1);

    let mut txn = Txn::new();
    let intent = f.leases.intend(NewLease::of(&json!({"user": "u"})).unwrap(), &GRANT, &mut txn).unwrap();
    f.barrier.commit(txn).await.unwrap();
    let granted = NewLease { intent: Some(intent), ..NewLease::of(&json!({"user": "u"})).unwrap() };
    let mut txn = Txn::new();
    f.leases.register(granted, &GRANT, &mut txn).await.unwrap();
    f.barrier.commit(txn).await.unwrap();
    assert_eq!(count(), 2, "an intent and the lease that it becomes are one");

    f.clock.advance(Duration::from_secs(2_000));
    f.sweep().await;
    assert_eq!(count(), 0);
}

#[tokio::test]
async fn what_is_made_already_is_never_one_too_many() {
    let f = fixture().await;
    *f.counter.full.lock().unwrap() = true;
    let new = || NewLease::of(&json!({"user": "u"})).unwrap();
    assert!(f.leases.intend(new(), &GRANT, &mut Txn::new()).is_err());
    assert!(f.leases.register(new(), &GRANT, &mut Txn::new()).await.is_err());
    assert!(f.leases.require_room("auth/a/login/h", "").is_err());
    f.leases.give_up("db/creds/app/1", "uuid", new().data).await.unwrap();
    let mut txn = Txn::new();
    let end = f.clock.now();
    f.leases.end_token("auth/a/login/h1".to_owned(), "t1", end, &mut txn).await.unwrap();
    f.barrier.commit(txn).await.unwrap();
    assert_eq!(*f.counter.count.lock().unwrap(), 2);
}

#[tokio::test]
async fn many_are_revoked_at_once_and_each_of_them_once() {
    let f = fixture().await;
    let mut ids = register_many(&f, 50).await;
    let other = register(&f, &Grant { path: "db/creds/other", ..GRANT }).await;
    f.leases.revoke_all(&ids, &*f.ledger).await.unwrap();
    let mut undone = f.ledger.undone.lock().unwrap().clone();
    undone.sort_unstable();
    ids.sort_unstable();
    assert_eq!(undone, ids);
    assert_eq!(f.leases.below("").await.unwrap(), [other.id]);
}

#[tokio::test]
async fn of_many_that_cannot_be_revoked_none_is_forgotten() {
    let f = fixture().await;
    let ids = register_many(&f, 50).await;
    *f.ledger.broken.lock().unwrap() = true;
    f.leases.doom_all(&ids).await.unwrap();
    f.leases.revoke_all(&ids, &*f.ledger).await.unwrap_err();
    assert_eq!(f.leases.below("").await.unwrap().len(), 50);
    *f.ledger.broken.lock().unwrap() = false;
    // Those that failed wait for their next try.
    f.clock.advance(Duration::from_hours(1));
    f.sweep().await;
    assert_eq!((f.undone(), f.leases.below("").await.unwrap().len()), (50, 0));
}

#[tokio::test]
async fn by_force_they_are_gone_though_they_cannot_be_revoked() {
    let f = fixture().await;
    let ids = register_many(&f, 2).await;
    *f.ledger.broken.lock().unwrap() = true;
    f.leases.end_all_by_force(&ids, &*f.ledger).await.unwrap();
    assert_eq!((f.undone(), f.leases.below("").await.unwrap().len()), (0, 0));
}
