//! Any sequence of grants, renewals, revocations and failures beside a plain map of who ends when.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use super::*;
use crate::engine::Intent;
use crate::secret::SecretJson;
use crate::storage::Page;

/// The longest that a lease lasts, from when it was granted.
const LONGEST: u64 = 1000;
/// How long an intent stands.
const INTENT: u64 = 300;

#[derive(Clone, Debug)]
enum Step {
    Grant {
        ttl: u64,
        owned: bool,
    },
    Intend,
    /// An intent becomes a lease.
    Promote(Index, u64),
    /// Whatever an intent led to is to be undone.
    GiveUp(Index),
    Renew(Index, u64),
    Revoke(Index),
    /// It is due from now on, durably.
    Doom(Index),
    Advance(u64),
    Sweep,
    /// What leases stand for cannot be undone, or can again.
    Break(bool),
    /// The process starts anew.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let lease = any::<Index>;
    prop_oneof![
        4 => (1..1_500_u64, any::<bool>()).prop_map(|(ttl, owned)| Step::Grant { ttl, owned }),
        2 => Just(Step::Intend),
        2 => (lease(), 1..1_500_u64).prop_map(|(lease, ttl)| Step::Promote(lease, ttl)),
        1 => lease().prop_map(Step::GiveUp),
        3 => (lease(), 1..1_500_u64).prop_map(|(lease, ttl)| Step::Renew(lease, ttl)),
        2 => lease().prop_map(Step::Revoke),
        1 => lease().prop_map(Step::Doom),
        5 => (0..400_u64).prop_map(Step::Advance),
        5 => Just(Step::Sweep),
        2 => any::<bool>().prop_map(Step::Break),
        1 => Just(Step::Restart),
    ]
}

/// What is to be true of one lease.
#[derive(Clone, Copy, Debug)]
struct Expected {
    issued: u64,
    /// When it ends, or is tried again.
    due: u64,
    state: LeaseState,
    owned: bool,
}

#[derive(Default)]
struct Model {
    now: u64,
    live: BTreeMap<String, Expected>,
    /// How often each was undone.
    undone: BTreeMap<String, u32>,
    broken: bool,
}

impl Model {
    /// What a lease stands for is undone, or is tried again later: after 10 s, then after twice as long each time, up to an
    /// hour.
    fn end(&mut self, id: &str) {
        let now = self.now;
        let Some(lease) = self.live.get_mut(id) else { return };
        if self.broken {
            let attempts = match lease.state {
                LeaseState::Revoking { attempts } => attempts + 1,
                LeaseState::Intended | LeaseState::Active => 1,
            };
            lease.state = LeaseState::Revoking { attempts };
            lease.due = now + 10_u64.saturating_mul(2_u64.saturating_pow(attempts - 1)).min(3600);
        } else {
            self.live.remove(id);
            *self.undone.entry(id.to_owned()).or_default() += 1;
        }
    }

    fn doom(&mut self, id: &str) {
        let now = self.now;
        let lease = self.live.get_mut(id).filter(|lease| !matches!(lease.state, LeaseState::Revoking { .. }));
        if let Some(lease) = lease {
            (lease.due, lease.state) = (now, LeaseState::Revoking { attempts: 0 });
        }
    }

    fn sweep(&mut self) {
        let due = self.live.iter().filter(|(_, lease)| lease.due <= self.now);
        let due: Vec<String> = due.map(|(id, _)| id.clone()).collect();
        for id in &due {
            self.end(id);
        }
    }
}

struct World {
    f: Fixture,
    storage: Arc<MemoryStorage>,
    root: RootKey,
    model: Model,
    /// All that there have ever been.
    ids: Vec<String>,
}

impl World {
    async fn new() -> Self {
        let (f, storage, root) = founded(7).await;
        Self { f, storage, root, model: Model { now: 1_000_000, ..Model::default() }, ids: Vec::new() }
    }

    async fn restart(&mut self) {
        // Other dice than before: a restart must not make the same names again.
        let entropy = Arc::new(SeededEntropy::new(self.ids.len() as u64 + 1000));
        let barrier = Barrier::unlock(self.storage.clone(), &self.root, entropy.clone()).await.unwrap();
        let (clock, counter) = (self.f.clock.clone(), self.f.counter.clone());
        self.f.leases = Arc::new(LeaseManager::new(barrier.clone(), "root", entropy, clock, counter));
        self.f.barrier = barrier;
    }

    /// One of all that there have been, or one that never was.
    fn id(&self, which: Index) -> String {
        if self.ids.is_empty() { "db/creds/app/none".to_owned() } else { self.ids[which.index(self.ids.len())].clone() }
    }

    fn expect(&mut self, id: String, lasts: u64, state: LeaseState, owned: bool) {
        let now = self.model.now;
        self.model.live.insert(id.clone(), Expected { issued: now, due: now + lasts, state, owned });
        self.ids.push(id);
    }

    async fn register(&self, ttl: u64, owned: bool, intent: Option<Intent>) -> Result<Lease> {
        let owner = LeaseOwner { token_id: if owned { "owner" } else { "" }, ends: None };
        let new = NewLease::of(&json!({"user": "u"})).unwrap();
        let new = NewLease { ttl: Ttl::from_seconds(ttl), intent, renewable: true, ..new };
        let mut txn = Txn::new();
        let (lease, _) = self.f.leases.register(new, &Grant { owner, ..GRANT }, &mut txn).await?;
        self.f.barrier.commit(txn).await?;
        Ok(lease)
    }

    async fn apply(&mut self, step: Step) {
        match step {
            Step::Grant { ttl, owned } => {
                let lease = self.register(ttl, owned, None).await.unwrap();
                self.expect(lease.id, ttl.min(LONGEST), LeaseState::Active, owned);
            }
            Step::Intend => {
                let mut txn = Txn::new();
                let new = NewLease::of(&json!({"user": "u"})).unwrap();
                let intent = self.f.leases.intend(new, &GRANT, &mut txn).unwrap();
                self.f.barrier.commit(txn).await.unwrap();
                self.expect(intent.lease_id, INTENT, LeaseState::Intended, true);
            }
            Step::Promote(which, ttl) => self.promote(&self.id(which), ttl).await,
            Step::GiveUp(which) => {
                let (id, now) = (self.id(which), self.model.now);
                let data = SecretJson::of(&json!({"user": "u"})).unwrap();
                self.f.leases.give_up(&id, "uuid", data).await.unwrap();
                let state = LeaseState::Revoking { attempts: 0 };
                self.model.live.insert(id, Expected { issued: now, due: now, state, owned: false });
            }
            Step::Renew(which, ttl) => self.renew(&self.id(which), ttl).await,
            Step::Revoke(which) => {
                let id = self.id(which);
                let was_live = self.model.live.contains_key(&id);
                let done = self.f.leases.revoke(&id, &*self.f.ledger).await.is_ok();
                assert_eq!(done, !was_live || !self.model.broken);
                self.model.doom(&id);
                self.model.end(&id);
            }
            Step::Doom(which) => {
                let id = self.id(which);
                self.f.leases.doom(&id).await.unwrap();
                self.model.doom(&id);
            }
            Step::Advance(seconds) => {
                self.f.advance(seconds);
                self.model.now += seconds;
            }
            Step::Sweep => {
                self.f.sweep().await;
                self.model.sweep();
            }
            Step::Break(broken) => {
                *self.f.ledger.broken.lock().unwrap() = broken;
                self.model.broken = broken;
            }
            Step::Restart => self.restart().await,
        }
    }

    async fn promote(&mut self, id: &str, ttl: u64) {
        let made = self.register(ttl, true, Some(Intent { lease_id: id.to_owned() })).await;
        let (now, intended) = (self.model.now, self.model.live.get_mut(id));
        let intended = intended.filter(|lease| lease.state == LeaseState::Intended);
        assert_eq!(made.is_ok(), intended.is_some(), "only what is intended becomes a lease");
        if let Some(lease) = intended {
            *lease = Expected { issued: now, due: now + ttl.min(LONGEST), state: LeaseState::Active, owned: true };
        }
    }

    async fn renew(&mut self, id: &str, ttl: u64) {
        let mut txn = Txn::new();
        let renewed = self.f.leases.renew(id, Ttl::from_seconds(ttl), BOUNDS, &*self.f.ledger, &mut txn).await;
        let (now, lease) = (self.model.now, self.model.live.get_mut(id));
        let live = lease.filter(|lease| lease.state == LeaseState::Active && lease.due > now);
        assert_eq!(renewed.is_ok(), live.is_some(), "what has ended is not renewed, and what has not is");
        if let Some(lease) = live {
            self.f.barrier.commit(txn).await.unwrap();
            lease.due = (now + ttl).min(lease.issued + LONGEST);
        }
    }

    /// Records, both indexes, the count and what was undone are as the model has them.
    async fn compare(&self) -> std::result::Result<(), TestCaseError> {
        let leases = &self.f.leases;
        for id in &self.ids {
            let found = leases.lease(id).await.unwrap();
            let found = found.map(|lease| (u64::try_from(lease.expires.unwrap().unix_seconds()).unwrap(), lease.state));
            prop_assert_eq!(found, self.model.live.get(id).map(|lease| (lease.due, lease.state)), "{}", id);
        }
        let due = leases.due.list("", Page::all()).await.unwrap();
        prop_assert_eq!(due.len(), self.model.live.len(), "the index of what falls due");
        let mut owned: Vec<String> =
            leases.owned_by("owner").await.unwrap().into_iter().map(|owned| owned.lease_id).collect();
        owned.sort();
        let expected = self.model.live.iter().filter(|(_, lease)| lease.owned);
        prop_assert_eq!(owned, expected.map(|(id, _)| id.clone()).collect::<Vec<_>>(), "the index of owners");
        prop_assert_eq!(*self.f.counter.count.lock().unwrap(), i64::try_from(self.model.live.len()).unwrap());
        let mut undone: BTreeMap<String, u32> = BTreeMap::new();
        for id in self.f.ledger.undone.lock().unwrap().iter() {
            *undone.entry(id.clone()).or_default() += 1;
        }
        prop_assert_eq!(&undone, &self.model.undone, "what was undone, and how often");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_sequence_ends_each_lease_once_and_when_it_is_due(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in steps {
                world.apply(step).await;
                world.compare().await?;
            }
            // Once everything can be undone again, nothing is left for longer than the longest pause between two tries.
            world.apply(Step::Break(false)).await;
            world.apply(Step::Advance(3600)).await;
            world.apply(Step::Sweep).await;
            world.compare().await?;
            prop_assert!(world.model.live.is_empty(), "all of it has ended");
            Ok(())
        })?;
    }
}
