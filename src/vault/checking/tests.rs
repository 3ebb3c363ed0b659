use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use tempfile::TempDir;

use super::*;
use crate::barrier::{Record, Txn};
use crate::entropy::{Entropy, SystemEntropy};
use crate::metrics::Metrics;
use crate::mount::Registry;
use crate::seal::{Threshold, parse_share};
use crate::secret::RootKey;
use crate::storage::contract::batch_of;
use crate::storage::{Batch, MemoryStorage, Opening, open};
use crate::time::{Clock, SystemClock, Timestamp};
use crate::trace::Tracer;
use crate::vault::{Parts, Settings, Vault, accept};

mod damage;

#[derive(Serialize, Deserialize)]
struct Note {
    text: String,
}

impl Record for Note {}

fn metrics() -> Arc<Metrics> {
    Metrics::new(Timestamp::from_unix_seconds(0))
}

fn entropy() -> Arc<dyn Entropy> {
    Arc::new(SystemEntropy::new())
}

fn opened(kind: &str, dir: &Path) -> Result<Arc<dyn Storage>, StorageError> {
    open(kind, dir, Opening::default(), &SystemEntropy::new(), &metrics())
}

/// Makes a vault in `storage`, with so many records; gives its root key.
async fn vault(storage: &Arc<dyn Storage>, records: u32) -> RootKey {
    let parts = Parts {
        storage: storage.clone(),
        clock: Arc::new(SystemClock),
        entropy: entropy(),
        registry: Registry::new(Vec::new()),
        settings: Arc::new(Settings::default()),
        metrics: metrics(),
        tracer: Tracer::default(),
    };
    let made = Vault::open(parts).await.unwrap().initialise(Threshold::new(1, 1).unwrap(), &[], None).await.unwrap();
    let seal = SealRecord::of_store(&**storage).await.unwrap().unwrap();
    let root = seal.open(&[parse_share(&made.keys[0]).unwrap()]).unwrap();
    let barrier = unlocked(storage, &root).await;
    write_notes(&barrier, "n", records).await;
    root
}

/// Writes so many records, or writes them again, made of this letter.
async fn write_notes(barrier: &Arc<Barrier>, letter: &str, records: u32) {
    let notes = barrier.view(Scope::new(ROOT_NAMESPACE, "notes"));
    for n in 0..records {
        let mut txn = Txn::new();
        let size = usize::try_from(n * 37 % 997).unwrap() * if n % 17 == 0 { 20 } else { 1 };
        notes.put(&mut txn, &format!("{n:04}"), &Note { text: letter.repeat(size) }).unwrap();
        notes.commit(txn).await.unwrap();
    }
}

async fn unlocked(storage: &Arc<dyn Storage>, root: &RootKey) -> Arc<Barrier> {
    Barrier::unlock(storage.clone(), root, entropy()).await.unwrap()
}

async fn checked(storage: &Arc<dyn Storage>, barrier: Option<Arc<Barrier>>) -> Result<CheckReport> {
    let check = Check { storage: storage.clone(), barrier, checkpoint: None, now: SystemClock.now() };
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || check.run(&runtime, &mut |_, _| ControlFlow::Continue(()))).await.unwrap()
}

async fn records(storage: &Arc<dyn Storage>) -> BTreeMap<String, Vec<u8>> {
    let storage = storage.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let (mut snapshot, mut records) = (storage.snapshot().unwrap(), BTreeMap::new());
        loop {
            let page = snapshot.next_page().unwrap();
            if page.is_empty() {
                return records;
            }
            records.extend(page.into_iter().map(|stored| (stored.key.as_str().to_owned(), stored.value.unwrap())));
        }
    });
    reading.await.unwrap()
}

/// A key, and what somebody puts there behind the vault's back.
type Meddling<'a> = (&'a str, Option<Vec<u8>>);

async fn put(storage: &Arc<dyn Storage>, writes: &[Meddling<'_>]) {
    storage.commit(batch_of(writes)).await.unwrap();
}

fn faults(report: &CheckReport) -> Vec<(Fault, &str)> {
    report.findings.iter().map(|finding| (finding.fault, finding.key.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_are_not_what_they_were_are_named_by_their_keys() {
    const A: &str = "ns/root/notes/0003";
    const B: &str = "ns/root/notes/0004";
    let dir = TempDir::new().unwrap();
    for storage in [Arc::new(MemoryStorage::new()), opened("redb", dir.path()).unwrap()] {
        let root = vault(&storage, 12).await;
        let barrier = unlocked(&storage, &root).await;
        let clean = checked(&storage, Some(barrier.clone())).await.unwrap();
        assert!(clean.sound && clean.opened && clean.more == 0, "{:?}", clean.findings);
        assert_eq!(clean.records, records(&storage).await.len() as u64);
        let (a, b) = (records(&storage).await[A].clone(), records(&storage).await[B].clone());
        // Exchanged with another.
        put(&storage, &[(A, Some(b.clone())), (B, Some(a.clone()))]).await;
        let report = checked(&storage, Some(barrier.clone())).await.unwrap();
        let two = [(Fault::Unauthentic, A), (Fault::Unauthentic, B), (Fault::Unaccounted, "")];
        assert_eq!(faults(&report), two);
        assert!(checked(&storage, None).await.unwrap().sound, "without keys only the form is seen");
        // No ciphertext at all; one that is cut short; one with a changed bit.
        let (mut flipped, garbage) = (b.clone(), b"garbage".to_vec());
        *flipped.last_mut().unwrap() ^= 1;
        put(&storage, &[(A, Some(garbage)), (B, Some(flipped))]).await;
        let report = checked(&storage, Some(barrier.clone())).await.unwrap();
        assert_eq!(faults(&report), two);
        assert_eq!(faults(&checked(&storage, None).await.unwrap()), [(Fault::Unauthentic, A)]);
        // Authentic, and no record.
        let odd = barrier.seal(A, b"\0\x01{\"text\":").unwrap();
        put(&storage, &[(A, Some(odd)), (B, Some(b))]).await;
        let report = checked(&storage, Some(barrier.clone())).await.unwrap();
        assert_eq!(faults(&report), [(Fault::Undecodable, A), (Fault::Unaccounted, A)]);
        put(&storage, &[(A, Some(a))]).await;
        assert!(checked(&storage, Some(barrier.clone())).await.unwrap().sound);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_be_there_is_missed() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    assert!(checked(&storage, None).await.unwrap().sound, "nothing is missing before initialisation");
    let root = vault(&storage, 3).await;
    let barrier = unlocked(&storage, &root).await;
    for key in ["core/seal", "core/keyring", "ns/root/core/cluster"] {
        let before = records(&storage).await[key].clone();
        put(&storage, &[(key, None)]).await;
        let report = checked(&storage, Some(barrier.clone())).await.unwrap();
        assert_eq!(faults(&report), [(Fault::Missing, key), (Fault::Unaccounted, key)]);
        put(&storage, &[(key, Some(before))]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_points_at_nothing_is_named() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let root = vault(&storage, 1).await;
    let barrier = unlocked(&storage, &root).await;
    let plain =
        |key: &str, json: &str| (barrier.seal(key, &[b"\0\x01", json.as_bytes()].concat()).unwrap(), key.to_owned());
    for (key, json, fault) in [
        ("ns/root/lease/due/000000000001-aa", r#"{"lease_id":"kv/a","namespace_id":"root"}"#, Fault::Dangling),
        ("ns/root/lease/owner/t/aa", r#"{"lease_id":"kv/a","namespace_id":"n1"}"#, Fault::Dangling),
        ("ns/root/token/accessor/h", r#"{"id":"gone","accessor":"x"}"#, Fault::Dangling),
        ("ns/n1/mount/u-1/x/y", r#"{"text":""}"#, Fault::Orphaned),
        (
            "ns/root/lease/id/kv/b",
            r#"{"id":"kv/b","target":{"token":{"id":"t"}},"owner":"","issued":"2026-01-01T00:00:00Z",
               "expires":"2026-01-02T00:00:00Z","last_renewal":null,"renewable":false,"ttl":0,"max_ttl":0,"state":"active"}"#,
            Fault::Unindexed,
        ),
        ("ns/root/lease/id/kv/c", r#"{"text":""}"#, Fault::Undecodable),
    ] {
        let (value, key) = plain(key, json);
        put(&storage, &[(key.as_str(), Some(value))]).await;
        let report = checked(&storage, Some(barrier.clone())).await.unwrap();
        assert_eq!(faults(&report), [(fault, key.as_str()), (Fault::Unaccounted, key.as_str())]);
        put(&storage, &[(key.as_str(), None)]).await;
    }
}

async fn write(barrier: &Arc<Barrier>, name: &str, text: Option<&str>) {
    let (notes, mut txn) = (barrier.view(Scope::new(ROOT_NAMESPACE, "notes")), Txn::new());
    match text {
        Some(text) => notes.put(&mut txn, name, &Note { text: text.to_owned() }).unwrap(),
        None => notes.delete(&mut txn, name).unwrap(),
    }
    notes.commit(txn).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_ledger_does_not_account_for_is_named_until_somebody_accepts_it() {
    const A: &str = "ns/root/notes/0003";
    const B: &str = "ns/root/notes/0004";
    let dir = TempDir::new().unwrap();
    for storage in [Arc::new(MemoryStorage::new()), opened("redb", dir.path()).unwrap()] {
        let root = vault(&storage, 12).await;
        let barrier = unlocked(&storage, &root).await;
        let before = records(&storage).await;
        write(&barrier, "0003", Some("later")).await;
        write(&barrier, "0004", None).await;
        let after = records(&storage).await;
        let old = |key: &str| before.get(key).cloned();
        let cases: [(&[Meddling<'_>], &str, &str); 6] = [
            (&[(A, old(A))], A, "an older copy was put back"),
            (&[(A, None)], A, "it was removed, and not by the vault"),
            (&[(B, old(B))], B, "brought back by somebody else"),
            (&[(A, old(A)), (B, old(B))], "", "; 1 more are there than should be"),
            (&[(LEDGER, None)], LEDGER, "the ledger is not there"),
            (&[(LEDGER, Some(b"garbage".to_vec()))], LEDGER, "the ledger cannot be read"),
        ];
        for (meddling, key, says) in cases {
            put(&storage, meddling).await;
            let report = checked(&storage, Some(barrier.clone())).await.unwrap();
            let unaccounted: Vec<_> = report.findings.iter().filter(|one| one.fault == Fault::Unaccounted).collect();
            let [finding] = unaccounted[..] else { panic!("{:?}", report.findings) };
            assert_eq!(finding.key, key);
            assert!(!report.sound && finding.detail.contains(says), "{finding:?}");
            assert!(checked(&storage, None).await.unwrap().ledger_since.is_none(), "without keys nothing is compared");
            put(&storage, &[A, B, LEDGER].map(|key| (key, after.get(key).cloned()))).await;
            let report = checked(&storage, Some(barrier.clone())).await.unwrap();
            assert!(report.sound && report.ledger_since.is_some() && report.accepted.is_empty(), "{report:?}");
            assert_eq!(
                accept(&barrier, &root, &report, SystemClock.now()).await.unwrap(),
                None,
                "nothing is to be accepted"
            );
        }
        for (times, (key, value)) in [(A, old(A)), (LEDGER, None)].into_iter().enumerate() {
            put(&storage, &[(key, value)]).await;
            let report = checked(&storage, Some(barrier.clone())).await.unwrap();
            let counted = accept(&barrier, &root, &report, SystemClock.now()).await.unwrap();
            let report = checked(&storage, Some(barrier.clone())).await.unwrap();
            assert!(report.sound, "{:?}", report.findings);
            // All but the ledger, which nobody counts.
            assert_eq!(
                (report.accepted.len(), counted.map(|counted| counted + 2 - times as u64)),
                (times + 1, Some(report.records))
            );
            assert!(report.accepted.last().unwrap().contains(key), "{:?}", report.accepted);
        }
    }
}

/// A store of which a region cannot be read.
#[derive(Debug)]
struct Holed {
    inner: MemoryStorage,
}

#[derive(Debug)]
struct HoledSnapshot {
    inner: Box<dyn Snapshot>,
    after: String,
}

#[async_trait::async_trait]
impl Storage for Holed {
    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        self.inner.get(key).await
    }

    async fn list(&self, prefix: &str, page: crate::storage::Page) -> Result<Vec<String>, StorageError> {
        self.inner.list(prefix, page).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        self.inner.commit(batch).await
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        Ok(Box::new(HoledSnapshot { inner: self.inner.snapshot()?, after: String::new() }))
    }

    async fn generation(&self) -> Result<crate::storage::Generation, StorageError> {
        self.inner.generation().await
    }

    fn kind(&self) -> &'static str {
        "holed"
    }
}

impl Snapshot for HoledSnapshot {
    fn generation(&self) -> crate::storage::Generation {
        self.inner.generation()
    }

    fn next_page(&mut self) -> Result<Vec<Stored>, StorageError> {
        let mut page = Vec::new();
        loop {
            self.inner.seek(&self.after);
            let Some(stored) = self.inner.next_page()?.into_iter().next() else { return Ok(page) };
            if (HOLE.0..HOLE.1).contains(&stored.key.as_str()) {
                return if page.is_empty() { Err(StorageError::Damaged("a page".into())) } else { Ok(page) };
            }
            stored.key.as_str().clone_into(&mut self.after);
            page.push(stored);
        }
    }

    fn seek(&mut self, after: &str) {
        after.clone_into(&mut self.after);
    }
}

const HOLE: (&str, &str) = ("ns/root/notes/0005", "ns/root/notes/0009");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_that_cannot_be_read_is_named_and_the_rest_is_looked_at() {
    let storage: Arc<dyn Storage> = Arc::new(Holed { inner: MemoryStorage::new() });
    let root = vault(&storage, 12).await;
    let barrier = unlocked(&storage, &root).await;
    put(&storage, &[("ns/root/zz", Some(b"garbage".to_vec()))]).await;
    let report = checked(&storage, Some(barrier)).await.unwrap();
    assert_eq!(faults(&report), [(Fault::Unreadable, "ns/root/notes/0004"), (Fault::Unauthentic, "ns/root/zz")]);
    let detail = &report.findings[0].detail;
    assert!(detail.contains("ns/root/"), "where it ends is told: {detail}");
}
