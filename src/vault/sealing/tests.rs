use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::*;
use crate::api::Ttl;
use crate::engine::{Bounds, Deps, Engine, LeaseData, NewLease, Role, Routes, SecretsEngine, View};
use crate::entropy::SeededEntropy;
use crate::lease::{Grant, LeaseOwner};
use crate::mount::{MountConfig, Registry};
use crate::storage::MemoryStorage;
use crate::time::{ManualClock, Timestamp};
use crate::vault::{NewMount, Settings};

/// A server whose users an engine removes.
struct Server {
    /// A permit for each removal that was begun.
    begun: Semaphore,
    /// It answers a removal for each permit.
    answers: Semaphore,
    done: AtomicUsize,
    /// Removals that go on.
    running: AtomicUsize,
}

impl Server {
    const fn new() -> Self {
        Self {
            begun: Semaphore::const_new(0),
            answers: Semaphore::const_new(0),
            done: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
        }
    }

    async fn remove_a_user(&'static self) {
        let _running = Running::begin(&self.running);
        self.begun.add_permits(1);
        self.answers.acquire().await.unwrap().forget();
        self.done.fetch_add(1, Ordering::SeqCst);
    }
}

struct Running(&'static AtomicUsize);

impl Running {
    fn begin(count: &'static AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One that answers late.
static SLOW: Server = Server::new();
/// One that never answers.
static DEAF: Server = Server::new();

struct Users;

impl Engine for Users {
    const KIND: &'static str = "users";

    async fn open(_: View, _: &Value, _: Deps) -> Result<Self> {
        Ok(Self)
    }

    fn routes() -> Routes<Self> {
        Routes::new()
    }
}

impl SecretsEngine for Users {
    async fn revoke(&self, lease: &LeaseData) -> Result<()> {
        let name: String = lease.decode()?;
        if name == "slow" { &SLOW } else { &DEAF }.remove_a_user().await;
        Ok(())
    }
}

struct Fixture {
    vault: Arc<Vault>,
    clock: Arc<ManualClock>,
    share: String,
}

impl Fixture {
    /// An unsealed vault in which `count` leases of users of `server` are due.
    async fn with_due_leases(server: &str, count: usize) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_000_000)));
        let mut kinds = crate::engines::kinds();
        kinds.push(crate::engine::Kind::secrets_engine::<Users>());
        let vault = Vault::open(Parts {
            storage: Arc::new(MemoryStorage::new()),
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(8)),
            registry: Registry::new(kinds),
            settings: Arc::new(Settings::default()),
            metrics: crate::metrics::Metrics::new(Timestamp::from_unix_seconds(1_000_000)),
            tracer: crate::trace::Tracer::off(),
        });
        let vault = vault.await.unwrap();
        let made = vault.initialise(Threshold::new(1, 1).unwrap(), &[], None).await.unwrap();
        let f = Self { vault, clock, share: made.keys[0].expose().to_owned() };
        f.unseal().await;
        f.grant(server, count).await;
        f.clock.advance(std::time::Duration::from_secs(100));
        f
    }

    async fn unseal(&self) {
        self.vault.give_share(&SecretText::new(self.share.clone())).await.unwrap();
    }

    async fn grant(&self, server: &str, count: usize) {
        let unsealed = self.vault.unsealed().unwrap();
        let new = NewMount {
            role: Role::Secret,
            path: "users".to_owned(),
            kind: "users".to_owned(),
            description: String::new(),
            options: BTreeMap::new(),
            config: MountConfig::default(),
            local: false,
            seal_wrap: false,
        };
        unsealed.enable(new).await.unwrap();
        let uuid = unsealed.mount_at(Role::Secret, "users").unwrap().entry.uuid.clone();
        for _ in 0..count {
            let owner = LeaseOwner { token_id: "", ends: None };
            let bounds = Bounds { default_ttl: Ttl::from_seconds(10), ..Bounds::default() };
            let grant = Grant { path: "users/creds", mount: &uuid, bounds, owner };
            let mut txn = Txn::new();
            unsealed.leases.register(NewLease::of(&json!(server)).unwrap(), &grant, &mut txn).await.unwrap();
            unsealed.commit(txn).await.unwrap();
        }
    }

    async fn leases(&self) -> usize {
        self.vault.unsealed().unwrap().leases.below("users").await.unwrap().len()
    }

    /// Seals in a task of its own.
    fn seal(&self) -> JoinSet<()> {
        let vault = self.vault.clone();
        let mut sealing = JoinSet::new();
        sealing.spawn(async move { vault.seal().await });
        sealing
    }
}

/// As many as are undone at once.
const AT_ONCE: u32 = 16;

#[tokio::test]
async fn what_is_being_undone_is_undone_before_the_vault_is_sealed() {
    let f = Fixture::with_due_leases("slow", 20).await;
    SLOW.begun.acquire_many(AT_ONCE).await.unwrap().forget();
    let mut sealing = f.seal();
    let mut sealings = f.vault.sealings();
    sealings.wait_for(|sealings| sealings.begun == 1).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(sealings.borrow().done, 0, "it waits");
    SLOW.answers.add_permits(100);
    sealing.join_next().await.unwrap().unwrap();
    assert_eq!((SLOW.done.load(Ordering::SeqCst), SLOW.running.load(Ordering::SeqCst)), (16, 0));
    assert_eq!(SLOW.begun.available_permits(), 0, "nothing more is begun");

    f.unseal().await;
    assert_eq!(f.leases().await, 4, "what was undone is forgotten, and what was not is not");
    while f.leases().await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(SLOW.done.load(Ordering::SeqCst), 20);
    f.vault.seal().await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_keeps_no_vault_from_being_sealed() {
    let f = Fixture::with_due_leases("deaf", 20).await;
    DEAF.begun.acquire_many(AT_ONCE).await.unwrap().forget();
    let start = tokio::time::Instant::now();
    f.vault.seal().await;
    let took = start.elapsed();
    assert!(took >= super::super::core::PATIENCE && took < super::super::core::PATIENCE * 2, "{took:?}");
    assert_eq!(DEAF.running.load(Ordering::SeqCst), 0, "nothing goes on");
    assert_eq!(DEAF.begun.available_permits(), 0, "nothing more is begun");
    f.unseal().await;
    assert_eq!(f.leases().await, 20, "they are still due");
    f.vault.seal().await;
}

#[tokio::test]
async fn who_waits_for_a_turn_does_not_hold_up_the_sealing_that_has_it() {
    let f = Fixture::with_due_leases("none", 0).await;
    let turning = f.vault.turning.clone().lock_owned().await;
    let mut sealing = f.seal();
    let settle = async || {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    };
    settle().await;
    let core = f.vault.unsealed().unwrap().core.clone();
    let mut waiting = JoinSet::new();
    let (vault, share) = (f.vault.clone(), SecretText::new(f.share.clone()));
    waiting.spawn(core.finish(async move { vault.give_share(&share).await.is_err() }));
    let (vault, share) = (f.vault.clone(), SecretText::new(f.share.clone()));
    waiting.spawn(core.finish(async move { vault.rekey_share("x", parse_share(&share).unwrap()).await.is_err() }));
    settle().await;
    let start = tokio::time::Instant::now();
    drop(turning);
    sealing.join_next().await.unwrap().unwrap();
    assert!(start.elapsed() < super::super::core::PATIENCE, "{:?}", start.elapsed());
    for outcome in waiting.join_all().await {
        assert!(outcome, "it is sealed");
    }
}
