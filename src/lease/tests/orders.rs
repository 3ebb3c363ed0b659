//! Requests, revocations and sweeps in many orders: whatever comes of them, no user outlives its lease.

use std::collections::BTreeSet;

use super::*;
use crate::barrier::{Scope, View};
use crate::schedule::{Tasks, alone, explore, turn};
use crate::storage::{Page, SteppedStorage};

/// A database with users, one for each intent.
#[derive(Default)]
struct Database(Mutex<BTreeSet<String>>);

#[async_trait]
impl Revoker for Database {
    async fn undo(&self, lease: &Lease) -> Result<()> {
        turn().await;
        self.0.lock().unwrap().remove(&lease.id);
        turn().await;
        Ok(())
    }

    async fn renew(&self, _: &Lease, _: Timestamp) -> Result<Renewal> {
        Ok(Renewal::AsAsked)
    }
}

struct Site {
    leases: Arc<LeaseManager>,
    barrier: Arc<Barrier>,
    everything: View,
    clock: Arc<ManualClock>,
    database: Database,
    counter: Arc<Counter>,
}

impl Site {
    fn new(tasks: &mut Tasks) -> Arc<Self> {
        let entropy = Arc::new(SeededEntropy::new(5));
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_000_000)));
        let root = RootKey::generate(&*entropy).unwrap();
        let records = Arc::new(MemoryStorage::new());
        let mut txn = Txn::new();
        let first = Barrier::create(records.clone(), &root, entropy.clone(), clock.now(), &mut txn).unwrap();
        alone(first.commit(txn)).unwrap();
        let barrier = alone(Barrier::unlock(SteppedStorage::new(records, tasks), &root, entropy.clone())).unwrap();
        let counter = Arc::new(Counter::default());
        let leases = Arc::new(LeaseManager::new(barrier.clone(), "root", entropy, clock.clone(), counter.clone()));
        let everything = barrier.view(Scope::new("root", "lease"));
        Arc::new(Self { leases, barrier, everything, clock, database: Database::default(), counter })
    }

    /// Makes a user with a lease, as an engine does: first the intent, then the user, then the lease; true if it is
    /// granted.
    async fn grant(&self) -> bool {
        let new = || NewLease::of(&json!({"user": "u"})).unwrap();
        let mut txn = Txn::new();
        let intent = self.leases.intend(new(), &GRANT, &mut txn).unwrap();
        self.barrier.commit(txn).await.unwrap();
        let id = intent.lease_id.clone();
        turn().await;
        self.database.0.lock().unwrap().insert(id.clone());
        let (mut txn, granted) = (Txn::new(), NewLease { intent: Some(intent), ..new() });
        let registered = match self.leases.register(granted, &GRANT, &mut txn).await {
            Ok(_) => self.barrier.commit(txn).await,
            Err(error) => Err(error),
        };
        if registered.is_err() {
            self.leases.give_up(&id, "uuid", new().data).await.unwrap();
        }
        registered.is_ok()
    }

    async fn sweep(&self) -> usize {
        self.leases.sweep(&self.database, &CancellationToken::new()).await.unwrap()
    }

    /// Moves the time on by more than an intent may stand, and sweeps.
    async fn sweep_late(&self) {
        turn().await;
        self.clock.advance(Duration::from_secs(400));
        self.sweep().await;
    }

    async fn revoke_all(&self) {
        for id in self.leases.below("").await.unwrap() {
            self.leases.revoke(&id, &self.database).await.unwrap();
        }
    }

    async fn names(&self) -> Vec<String> {
        self.everything.scan("").await.unwrap()
    }
}

/// At the end nobody has a user without a lease, and once all leases have ended nothing is left.
fn nothing_is_left(site: &Arc<Site>, tasks: &mut Tasks) {
    let site = site.clone();
    tasks.finally("the end", async move {
        let users = site.database.0.lock().unwrap().clone();
        let leases = site.leases.below("").await.unwrap();
        let without: Vec<_> = users.iter().filter(|user| !leases.contains(user)).collect();
        assert!(without.is_empty(), "users without a lease: {without:?}");
        let due = site.leases.due.list("", Page::all()).await.unwrap();
        assert_eq!(due.len(), leases.len(), "{due:?}");
        site.clock.advance(Duration::from_secs(10_000));
        site.sweep().await;
        assert_eq!(site.names().await, Vec::<String>::new());
        assert_eq!(site.database.0.lock().unwrap().len(), 0);
    });
}

#[test]
fn a_request_that_takes_too_long_leaves_no_user() {
    explore(250, |tasks| {
        let site = Site::new(tasks);
        let request = site.clone();
        tasks.add_fickle("a request", async move {
            request.grant().await;
        });
        let sweep = site.clone();
        tasks.add("a sweep", async move { sweep.sweep_late().await });
        let sweep = site.clone();
        tasks.add("another sweep", async move {
            sweep.sweep().await;
        });
        nothing_is_left(&site, tasks);
        || {}
    });
}

#[test]
fn a_revocation_beside_others_leaves_no_user() {
    explore(250, |tasks| {
        let site = Site::new(tasks);
        for name in ["a request", "another request"] {
            let request = site.clone();
            tasks.add(name, async move {
                request.grant().await;
            });
        }
        for name in ["a revocation", "another revocation"] {
            let revocation = site.clone();
            tasks.add(name, async move { revocation.revoke_all().await });
        }
        let sweep = site.clone();
        tasks.add("a sweep", async move { sweep.sweep_late().await });
        nothing_is_left(&site, tasks);
        move || assert_eq!(*site.counter.count.lock().unwrap(), 0, "they are counted")
    });
}

#[test]
fn a_sweep_that_is_broken_off_leaves_what_is_due() {
    explore(250, |tasks| {
        let site = Site::new(tasks);
        let request = site.clone();
        tasks.add("a request", async move {
            request.grant().await;
        });
        for name in ["a sweep", "another sweep"] {
            let sweep = site.clone();
            tasks.add_fickle(name, async move { sweep.sweep_late().await });
        }
        nothing_is_left(&site, tasks);
        || {}
    });
}
