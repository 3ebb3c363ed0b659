use std::collections::BTreeMap;
use std::sync::Mutex;

use futures_util::future::join_all;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::*;
use crate::barrier::{Record, RotationConfig, Scope, View};
use crate::entropy::{SeededEntropy, SystemEntropy};
use crate::error::Kind;
use crate::metrics::Metrics;
use crate::schedule::{alone, explore};
use crate::storage::fault::{FaultyStorage, Moment};
use crate::storage::{self, Batch, MemoryStorage, Opening, SteppedStorage, Storage};

const KINDS: [&str; 3] = ["inmem", "redb", "sled"];
const BEGUN: Timestamp = Timestamp::from_unix_nanos(1_000_000_001);

#[derive(Serialize, Deserialize)]
struct Note {
    text: String,
}

impl Record for Note {}

/// A vault's store, with some notes in it.
struct Site {
    kind: &'static str,
    folder: TempDir,
    storage: Arc<dyn Storage>,
    root: RootKey,
    barrier: Arc<Barrier>,
}

impl Site {
    async fn new(kind: &'static str) -> Self {
        let folder = TempDir::new().unwrap();
        let storage = opened(kind, &folder);
        let (root, barrier) = created(storage.clone()).await;
        let site = Self { kind, folder, storage, root, barrier };
        for name in ["a", "b", "c"] {
            site.write(name, "first").await;
        }
        site
    }

    fn notes(&self) -> View {
        self.barrier.view(Scope::new("root", "notes"))
    }

    async fn write(&self, name: &str, text: &str) {
        let mut txn = Txn::new();
        self.notes().put(&mut txn, name, &note(text)).unwrap();
        self.barrier.commit(txn).await.unwrap();
    }

    async fn remove(&self, name: &str) {
        let mut txn = Txn::new();
        self.notes().delete(&mut txn, name).unwrap();
        self.barrier.commit(txn).await.unwrap();
    }

    async fn stored(&self, key: &str) -> Option<Vec<u8>> {
        self.storage.get(&Key::new(key).unwrap()).await.unwrap()
    }

    /// Writes behind the vault's back.
    async fn meddle(&self, key: &str, value: Option<Vec<u8>>) {
        let (mut batch, key) = (Batch::new(), Key::new(key).unwrap());
        match value {
            Some(value) => batch.put(key, value),
            None => batch.delete(key),
        }
        self.storage.commit(batch).await.unwrap();
    }

    async fn balance(&self) -> Balance {
        balance(&self.barrier, self.storage.clone()).await
    }

    async fn assert_even(&self) {
        assert_eq!(self.balance().await, Balance::Even(BEGUN), "{}", self.kind);
    }

    async fn assert_uneven(&self, key: &str, surplus: i64) {
        let name = Some(Name::Whole(key.to_owned()));
        assert_eq!(self.balance().await, Balance::Uneven(BEGUN, Discrepancy { surplus, name }), "{}", self.kind);
    }

    async fn reopen(self) -> Self {
        let Self { kind, folder, storage, root, barrier } = self;
        drop(barrier);
        let storage = if kind == "inmem" {
            storage
        } else {
            drop(storage);
            opened(kind, &folder)
        };
        let barrier = unlocked(&storage, &root).await;
        Self { kind, folder, storage, root, barrier }
    }
}

fn note(text: &str) -> Note {
    Note { text: text.to_owned() }
}

fn opened(kind: &str, folder: &TempDir) -> Arc<dyn Storage> {
    let metrics = Metrics::new(Timestamp::from_unix_seconds(0));
    storage::open(kind, folder.path(), Opening::default(), &SystemEntropy::new(), &metrics).unwrap()
}

async fn created(storage: Arc<dyn Storage>) -> (RootKey, Arc<Barrier>) {
    let entropy = Arc::new(SystemEntropy::new());
    let root = RootKey::generate(&*entropy).unwrap();
    let mut txn = Txn::new();
    txn.put_in_clear(Key::new("core/seal").unwrap(), b"{\"shares\":1}".to_vec());
    let barrier = Barrier::create(storage, &root, entropy, BEGUN, &mut txn).unwrap();
    barrier.commit(txn).await.unwrap();
    (root, barrier)
}

async fn unlocked(storage: &Arc<dyn Storage>, root: &RootKey) -> Arc<Barrier> {
    Barrier::unlock(storage.clone(), root, Arc::new(SystemEntropy::new())).await.unwrap()
}

fn counted(barrier: &Barrier, snapshot: &mut dyn Snapshot) -> Balance {
    let mut count = barrier.count().unwrap();
    loop {
        let page = snapshot.next_page().unwrap();
        if page.is_empty() {
            return count.balance();
        }
        for stored in page {
            count.take(&stored.key, &stored.value.unwrap());
        }
        assert!(format!("{count:?}").ends_with(" records"), "{count:?}");
    }
}

async fn balance(barrier: &Arc<Barrier>, storage: Arc<dyn Storage>) -> Balance {
    let barrier = barrier.clone();
    tokio::task::spawn_blocking(move || counted(&barrier, &mut *storage.snapshot().unwrap())).await.unwrap()
}

const A: &str = "ns/root/notes/a";
const B: &str = "ns/root/notes/b";

#[tokio::test]
async fn an_older_copy_of_a_record_is_named() {
    for kind in KINDS {
        let site = Site::new(kind).await;
        let old = site.stored(A).await;
        site.write("a", "second").await;
        site.assert_even().await;
        let new = site.stored(A).await;
        site.meddle(A, old.clone()).await;
        site.assert_uneven(A, 0).await;
        site.meddle(A, new).await;
        site.assert_even().await;
        // It is not forgotten when it is written again, nor when it is removed, nor after a restart.
        site.meddle(A, old).await;
        site.write("a", "third").await;
        site.write("b", "third").await;
        site.assert_uneven(A, 0).await;
        site.remove("a").await;
        let site = site.reopen().await;
        site.assert_uneven(A, 0).await;
    }
}

#[tokio::test]
async fn a_record_that_was_removed_or_brought_back_is_named() {
    for kind in KINDS {
        let site = Site::new(kind).await;
        let there = site.stored(A).await;
        site.meddle(A, None).await;
        site.assert_uneven(A, -1).await;
        site.write("a", "anew").await;
        site.assert_uneven(A, -1).await;
        let site = Site::new(kind).await;
        let before = site.stored(A).await;
        site.remove("a").await;
        site.assert_even().await;
        site.meddle(A, before).await;
        site.assert_uneven(A, 1).await;
        site.meddle(A, None).await;
        site.assert_even().await;
        site.meddle(A, there).await;
        site.assert_uneven(A, 1).await;
    }
}

#[tokio::test]
async fn several_records_that_were_changed_are_counted() {
    for kind in KINDS {
        let site = Site::new(kind).await;
        let (a, b) = (site.stored(A).await, site.stored(B).await);
        site.write("a", "second").await;
        site.write("b", "second").await;
        for (b, surplus) in [(b, 0), (None, -1)] {
            site.meddle(A, a.clone()).await;
            site.meddle(B, b).await;
            assert_eq!(site.balance().await, Balance::Uneven(BEGUN, Discrepancy { surplus, name: None }), "{kind}");
        }
    }
}

#[tokio::test]
async fn the_keyring_and_how_the_vault_is_sealed_are_entered() {
    for kind in KINDS {
        let site = Site::new(kind).await;
        let keyring = site.stored(KEYRING).await;
        site.barrier.rotate(&site.root, BEGUN).await.unwrap();
        site.assert_even().await;
        site.meddle(KEYRING, keyring).await;
        site.assert_uneven(KEYRING, 0).await;
        let site = Site::new(kind).await;
        site.meddle("core/seal", Some(b"{\"shares\":2}".to_vec())).await;
        site.assert_uneven("core/seal", 0).await;
    }
}

#[tokio::test]
async fn the_ledger_itself_cannot_be_put_back_removed_or_made_up() {
    for kind in KINDS {
        let site = Site::new(kind).await;
        let old = site.stored(LEDGER).await;
        site.write("a", "second").await;
        site.write("b", "second").await;
        let new = site.stored(LEDGER).await;
        site.meddle(LEDGER, old.clone()).await;
        assert_eq!(site.balance().await, Balance::Uneven(BEGUN, Discrepancy { surplus: 0, name: None }), "{kind}");
        let mut flipped = new.clone().unwrap();
        *flipped.last_mut().unwrap() ^= 1;
        for (made_up, expected) in [
            (None, Balance::Missing),
            (Some(flipped), Balance::Unreadable),
            (Some(b"garbage".to_vec()), Balance::Unreadable),
            (site.stored(A).await, Balance::Unreadable),
            (Some(site.barrier.seal(LEDGER, b"\0\x01short").unwrap()), Balance::Unreadable),
        ] {
            site.meddle(LEDGER, made_up).await;
            assert_eq!(site.balance().await, expected, "{kind}");
            // Writing goes on, and does not make it well.
            site.write("c", "more").await;
            assert_eq!(site.balance().await, expected, "{kind}");
        }
        site.meddle(LEDGER, new).await;
        site.assert_uneven("ns/root/notes/c", 0).await;
    }
}

/// Some hundred transactions of every kind, several at a time, one in a while with a conflict.
async fn work(site: &Site, entropy: &dyn Entropy, rounds: usize) {
    let mut conflicts = 0;
    let random = |below: u8| entropy.bytes::<1>().unwrap()[0] % below;
    for round in 0..rounds {
        let txns = (0..=random(6)).map(|_| {
            let mut txn = Txn::new();
            for _ in 0..=random(4) {
                let (notes, name) = (site.notes(), format!("{}", random(24)));
                match random(8) {
                    0 | 1 => notes.delete(&mut txn, &name).unwrap(),
                    2 => notes.insert(&mut txn, &name, &note("new")).unwrap(),
                    _ => notes.put(&mut txn, &name, &note(&"x".repeat(usize::from(random(200))))).unwrap(),
                }
            }
            site.barrier.commit(txn)
        });
        for outcome in join_all(txns.collect::<Vec<_>>()).await {
            if let Err(error) = outcome {
                assert_eq!(error.kind(), Kind::Conflict);
                conflicts += 1;
            }
        }
        match round % 40 {
            7 => drop(site.barrier.rotate(&site.root, BEGUN).await.unwrap()),
            17 => site.barrier.persist_count(&site.root).await.unwrap(),
            27 => {
                let config = RotationConfig { interval_seconds: 86_400, ..RotationConfig::default() };
                site.barrier.configure_rotation(config, &site.root).await.unwrap();
            }
            _ => {}
        }
    }
    assert!(conflicts > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_vault_writes_is_accounted_for() {
    for (kind, rounds) in [("inmem", 1500), ("redb", 120), ("sled", 120)] {
        let (mut site, entropy) = (Site::new(kind).await, SeededEntropy::new(5));
        for _ in 0..4 {
            work(&site, &entropy, rounds / 4).await;
            site.assert_even().await;
            site = site.reopen().await;
            site.assert_even().await;
        }
        assert!(site.barrier.key_status().unwrap().term > 3);
    }
}

/// A batch of the property below: a key, and what is to be there.
type Changed = Vec<(u8, Option<u8>)>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_is_that_of_a_plain_model(
        batches in proptest::collection::vec(proptest::collection::vec((0_u8..6, proptest::option::of(0_u8..9)), 1..5), 1..12),
        meddled in proptest::option::of((0_u8..6, proptest::option::of(10_u8..12))),
    ) {
        agrees_with_a_model(batches, meddled);
    }
}

fn agrees_with_a_model(batches: Vec<Changed>, meddled: Option<(u8, Option<u8>)>) {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let (_, barrier) = alone(created(storage.clone()));
    let (notes, mut model) = (barrier.view(Scope::new("root", "notes")), BTreeMap::new());
    for batch in batches {
        let mut txn = Txn::new();
        for (name, text) in batch {
            let name = name.to_string();
            if let Some(text) = text {
                notes.put(&mut txn, &name, &note(&text.to_string())).unwrap();
                model.insert(name, text);
            } else {
                notes.delete(&mut txn, &name).unwrap();
                model.remove(&name);
            }
        }
        alone(barrier.commit(txn)).unwrap();
    }
    assert_eq!(alone(notes.count()).unwrap(), model.len() as u64);
    assert_eq!(counted(&barrier, &mut *storage.snapshot().unwrap()), Balance::Even(BEGUN));
    let Some((name, text)) = meddled else { return };
    let (key, mut batch) = (Key::new(format!("ns/root/notes/{name}")).unwrap(), Batch::new());
    let was_there = model.contains_key(&name.to_string());
    match text {
        Some(text) => batch.put(key.clone(), barrier.seal(key.as_str(), &[text]).unwrap()),
        None => batch.delete(key.clone()),
    }
    alone(storage.commit(batch)).unwrap();
    let surplus = i64::from(text.is_some()) - i64::from(was_there);
    let expected = if text.is_none() && !was_there {
        Balance::Even(BEGUN)
    } else {
        Balance::Uneven(BEGUN, Discrepancy { surplus, name: Some(Name::Whole(key.as_str().to_owned())) })
    };
    assert_eq!(counted(&barrier, &mut *storage.snapshot().unwrap()), expected);
}

#[test]
fn no_change_of_a_group_is_left_out() {
    explore(300, |tasks| {
        let records = Arc::new(MemoryStorage::new());
        let (root, first) = alone(created(records.clone()));
        drop(first);
        let store: Arc<dyn Storage> = SteppedStorage::new(records.clone(), tasks);
        let barrier = alone(unlocked(&store, &root));
        for (name, other) in [("one", "two"), ("two", "one"), ("three", "one")] {
            let barrier = barrier.clone();
            tasks.add(name, async move {
                let (notes, mut txn) = (barrier.view(Scope::new("root", "notes")), Txn::new());
                notes.put(&mut txn, "shared", &note(name)).unwrap();
                notes.put(&mut txn, name, &note(name)).unwrap();
                notes.delete(&mut txn, other).unwrap();
                barrier.commit(txn).await.unwrap();
            });
        }
        let rotating = barrier.clone();
        tasks.add("a rotation", async move {
            rotating.rotate(&root, BEGUN).await.unwrap();
        });
        move || assert_eq!(counted(&barrier, &mut *records.snapshot().unwrap()), Balance::Even(BEGUN))
    });
}

#[tokio::test]
async fn a_commit_that_fails_leaves_both_or_neither() {
    for moment in [Moment::Before, Moment::After] {
        let inner: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let faulty = Arc::new(FaultyStorage::new(inner.clone()));
        let (_, barrier) = created(faulty.clone()).await;
        let notes = barrier.view(Scope::new("root", "notes"));
        for number in 0..4 {
            faulty.fail_commit(faulty.commits() + 1, moment, StorageError::Full);
            let mut txn = Txn::new();
            notes.put(&mut txn, &format!("{}", number % 2), &note("text")).unwrap();
            assert!(barrier.commit(txn).await.is_err());
            assert_eq!(balance(&barrier, inner.clone()).await, Balance::Even(BEGUN));
        }
        assert_eq!(notes.count().await.unwrap(), if moment == Moment::Before { 0 } else { 2 });
    }
}

#[tokio::test]
async fn what_waits_in_the_queue_when_the_keys_are_wiped_is_not_written() {
    for kind in KINDS {
        let site = Site::new(kind).await;
        let (mut batch, key) = (Batch::new(), Key::new(A).unwrap());
        batch.put(key, b"late".to_vec());
        batch.enter_in(site.barrier.ledger.clone());
        let before = site.stored(A).await;
        site.barrier.wipe();
        assert!(matches!(site.storage.commit(batch).await, Err(StorageError::Failed(_))));
        assert_eq!(site.stored(A).await, before);
        let site = site.reopen().await;
        site.write("a", "later").await;
        site.assert_even().await;
        site.barrier.wipe();
        assert_eq!(
            site.barrier.commit(Txn::new()).await.map_err(|error| error.kind()),
            Ok(()),
            "there is nothing to write"
        );
    }
}

#[tokio::test]
async fn a_vault_of_before_begins_its_ledger_once() {
    for kind in KINDS {
        let site = Site::new(kind).await;
        let before = site.barrier.keyring().unwrap().before_ledgers();
        site.meddle(KEYRING, Some(before.sealed_under(&site.root, &SystemEntropy::new()).unwrap())).await;
        let ledger = site.stored(LEDGER).await;
        site.meddle(LEDGER, None).await;
        let site = site.reopen().await;
        // Before it is unsealed: it serves as it did.
        site.write("a", "second").await;
        site.barrier.rotate(&site.root, BEGUN).await.unwrap();
        assert_eq!(site.balance().await, Balance::Unkept);
        assert_eq!(site.stored(LEDGER).await, None);
        let later = Timestamp::from_unix_nanos(7);
        site.barrier.keep_ledger(&site.root, later).await.unwrap();
        assert_eq!(site.balance().await, Balance::Even(later));
        site.write("a", "third").await;
        let site = site.reopen().await;
        site.barrier.keep_ledger(&site.root, BEGUN).await.unwrap();
        assert_eq!(site.balance().await, Balance::Even(later), "it is begun once");
        // Another one cannot be had by removing it.
        site.meddle(LEDGER, None).await;
        site.barrier.keep_ledger(&site.root, BEGUN).await.unwrap();
        assert_eq!(site.balance().await, Balance::Missing);
        // Nor by putting the keyring back too, if there is a ledger.
        site.meddle(KEYRING, Some(before.sealed_under(&site.root, &SystemEntropy::new()).unwrap())).await;
        site.meddle(LEDGER, ledger).await;
        let site = site.reopen().await;
        site.barrier.keep_ledger(&site.root, BEGUN).await.unwrap();
        assert_eq!(site.balance().await, Balance::Keyless);
        site.write("b", "third").await;
        assert_eq!(site.balance().await, Balance::Keyless);
    }
}

#[tokio::test]
async fn counting_anew_makes_up_for_everything() {
    for kind in KINDS {
        let mut site = Site::new(kind).await;
        let (old, old_ledger) = (site.stored(A).await, site.stored(LEDGER).await);
        for broken in 0..3 {
            site.write("a", "second").await;
            match broken {
                0 => site.meddle(A, old.clone()).await,
                1 => site.meddle(LEDGER, None).await,
                _ => site.meddle(LEDGER, old_ledger.clone()).await,
            }
            assert!(!matches!(site.balance().await, Balance::Even(_)));
            let mut txn = Txn::new();
            site.notes().put(&mut txn, "why", &note("looked at")).unwrap();
            let records = site.barrier.count_anew(&site.root, BEGUN, txn).await.unwrap();
            site.assert_even().await;
            assert_eq!(records, if broken == 0 { 5 } else { 6 }, "three notes, the keyring, the seal, and why");
            site.write("b", "after").await;
            site = site.reopen().await;
            site.assert_even().await;
        }
    }
}

#[tokio::test]
async fn counting_anew_gives_way_to_others_who_write() {
    let inner: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let (root, barrier) = created(inner.clone()).await;
    // Between the snapshot and the commit of the one who counts.
    let interfering = Arc::new(Interfering { inner: inner.clone(), other: unlocked(&inner, &root).await });
    let counting = Barrier::unlock(interfering, &root, Arc::new(SystemEntropy::new())).await.unwrap();
    let outcome = counting.count_anew(&root, BEGUN, Txn::new()).await;
    assert_eq!(outcome.map_err(|error| error.kind()), Err(Kind::Conflict));
    assert_eq!(balance(&barrier, inner).await, Balance::Even(BEGUN));
}

/// A store in which another barrier writes just before each commit.
#[derive(Debug)]
struct Interfering {
    inner: Arc<dyn Storage>,
    other: Arc<Barrier>,
}

#[async_trait::async_trait]
impl Storage for Interfering {
    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        self.inner.get(key).await
    }

    async fn list(&self, prefix: &str, page: storage::Page) -> Result<Vec<String>, StorageError> {
        self.inner.list(prefix, page).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        let (view, mut txn) = (self.other.view(Scope::new("root", "notes")), Txn::new());
        view.put(&mut txn, "meanwhile", &note("text")).unwrap();
        view.commit(txn).await.unwrap();
        self.inner.commit(batch).await
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        self.inner.snapshot()
    }

    async fn generation(&self) -> Result<storage::Generation, StorageError> {
        self.inner.generation().await
    }

    fn kind(&self) -> &'static str {
        "interfering"
    }
}

#[tokio::test]
async fn a_transaction_costs_one_more_record_and_one_look_at_each_that_it_changes() {
    let site = Site::new("inmem").await;
    let looked_at = Mutex::new(Vec::new());
    let key = |name: &str| Key::new(format!("ns/root/notes/{name}")).unwrap();
    let changes: Changes = [(key("a"), None), (key("b"), Some(vec![1])), (key("z"), Some(vec![2]))].into();
    let entry = site.barrier.ledger.entry(&changes, &mut |key| {
        looked_at.lock().unwrap().push(key.as_str().to_owned());
        alone(site.storage.get(key))
    });
    let (place, value) = entry.unwrap().unwrap();
    assert_eq!((place.as_str(), value.unwrap().len()), (LEDGER, 33 + 2 + 8 + MultisetHash::LEN));
    assert_eq!(*looked_at.lock().unwrap(), [LEDGER, A, B, "ns/root/notes/z"]);
}

proptest! {
    #[test]
    fn no_bytes_are_taken_for_a_ledger_that_are_none(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let read = Account::read(&bytes).is_some();
        prop_assert!(!read || bytes.starts_with(&VERSION) && bytes.len() == 2 + 8 + MultisetHash::LEN);
    }
}
