use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::entropy::SeededEntropy;
use crate::storage::Page;

/// The least that a barrier needs below it, with its bytes open to the tests.
#[derive(Debug, Default)]
struct Bytes(Mutex<BTreeMap<String, Vec<u8>>>);

#[async_trait]
impl Storage for Bytes {
    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.0.lock().unwrap().get(key.as_str()).cloned())
    }

    async fn list(&self, prefix: &str, _: Page) -> Result<Vec<String>, StorageError> {
        let map = self.0.lock().unwrap();
        Ok(map.keys().filter_map(|key| key.strip_prefix(prefix)).map(str::to_owned).collect())
    }

    async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        let mut map = self.0.lock().unwrap();
        if batch.expectations().iter().any(|(key, expected)| !expected.holds(map.get(key.as_str()).map(Vec::as_slice))) {
            return Err(StorageError::Conflict);
        }
        for (key, value) in batch.writes() {
            match value {
                Some(value) => map.insert(key.as_str().to_owned(), value.clone()),
                None => map.remove(key.as_str()),
            };
        }
        Ok(())
    }

    fn kind(&self) -> &'static str {
        "test"
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    text: String,
}

impl Record for Note {}

fn note(text: &str) -> Note {
    Note { text: text.to_owned() }
}

struct Fixture {
    bytes: Arc<Bytes>,
    root: RootKey,
    barrier: Arc<Barrier>,
}

async fn fixture() -> Fixture {
    let entropy = Arc::new(SeededEntropy::new(7));
    let root = RootKey::generate(&*entropy).unwrap();
    let bytes = Arc::new(Bytes::default());
    let mut batch = Batch::new();
    Barrier::create(&mut batch, &root, &*entropy, Timestamp::from_unix_seconds(1)).unwrap();
    bytes.commit(batch).await.unwrap();
    let barrier = Barrier::unlock(bytes.clone(), &root, entropy).await.unwrap();
    Fixture { bytes, root, barrier }
}

async fn write(view: &View, key: &str, text: &str) {
    let mut txn = Txn::new();
    view.put(&mut txn, key, &note(text)).unwrap();
    view.commit(txn).await.unwrap();
}

#[tokio::test]
async fn a_record_comes_back_and_is_not_in_the_store_in_clear() {
    let f = fixture().await;
    let view = f.barrier.view(Scope::new("root", "test"));
    write(&view, "a/b", "hunter2").await;
    assert_eq!(view.get::<Note>("a/b").await.unwrap(), Some(note("hunter2")));
    let stored = f.bytes.0.lock().unwrap().clone();
    assert!(stored.values().all(|value| !value.windows(7).any(|part| part == b"hunter2")));
}

#[tokio::test]
async fn a_record_that_was_moved_or_changed_does_not_open() {
    let f = fixture().await;
    let view = f.barrier.view(Scope::new("root", "test"));
    write(&view, "a", "one").await;
    let stored = f.bytes.0.lock().unwrap()["ns/root/test/a"].clone();
    f.bytes.0.lock().unwrap().insert("ns/root/test/b".to_owned(), stored.clone());
    assert!(view.get::<Note>("b").await.is_err());
    for index in 0..stored.len() {
        let mut damaged = stored.clone();
        damaged[index] ^= 1;
        f.bytes.0.lock().unwrap().insert("ns/root/test/a".to_owned(), damaged);
        assert!(view.get::<Note>("a").await.is_err(), "byte {index}");
        f.bytes.0.lock().unwrap().insert("ns/root/test/a".to_owned(), stored[..index].to_vec());
        assert!(view.get::<Note>("a").await.is_err(), "cut at {index}");
    }
}

#[tokio::test]
async fn rotation_keeps_what_was_written_before() {
    let f = fixture().await;
    let view = f.barrier.view(Scope::new("root", "test"));
    write(&view, "old", "one").await;
    let term = f.barrier.rotate(&f.root, Timestamp::from_unix_seconds(2)).await.unwrap();
    assert_eq!(term, 2);
    write(&view, "new", "two").await;
    let again = Barrier::unlock(f.bytes.clone(), &f.root, Arc::new(SeededEntropy::new(8))).await.unwrap();
    let view = again.view(Scope::new("root", "test"));
    assert_eq!(view.get::<Note>("old").await.unwrap(), Some(note("one")));
    assert_eq!(view.get::<Note>("new").await.unwrap(), Some(note("two")));
    assert_eq!(again.key_status().unwrap().term, 2);
    assert!(again.key_status().unwrap().encryptions > 0, "a restart must not start counting anew");
}

#[tokio::test]
async fn another_root_key_does_not_open_it() {
    let f = fixture().await;
    let other = RootKey::generate(&SeededEntropy::new(99)).unwrap();
    let outcome = Barrier::unlock(f.bytes.clone(), &other, Arc::new(SeededEntropy::new(8))).await;
    assert!(matches!(outcome, Err(BarrierError::WrongKey)));
}

#[tokio::test]
async fn after_wiping_nothing_is_read_or_written() {
    let f = fixture().await;
    let view = f.barrier.view(Scope::new("root", "test"));
    let mut txn = Txn::new();
    view.put(&mut txn, "a", &note("one")).unwrap();
    f.barrier.wipe();
    assert!(view.commit(txn).await.is_err());
    assert!(view.get::<Note>("a").await.is_ok_and(|note| note.is_none()));
    assert!(view.put(&mut Txn::new(), "a", &note("two")).is_err());
}

#[tokio::test]
async fn a_change_in_between_is_a_conflict() {
    let f = fixture().await;
    let view = f.barrier.view(Scope::new("root", "test"));
    write(&view, "a", "one").await;
    let mut txn = Txn::new();
    view.fetch::<Note>(&mut txn, "a").await.unwrap();
    view.put(&mut txn, "a", &note("mine")).unwrap();
    write(&view, "a", "theirs").await;
    assert_eq!(view.commit(txn).await.unwrap_err().kind(), crate::error::Kind::Conflict);
    assert_eq!(view.get::<Note>("a").await.unwrap(), Some(note("theirs")));
}

#[test]
fn rotation_is_due_by_count_and_by_age() {
    let entropy = SeededEntropy::new(1);
    let keyring = Keyring::generate(&entropy, Timestamp::from_unix_seconds(0)).unwrap();
    assert!(!keyring.rotation_is_due(Timestamp::from_unix_seconds(1_000_000)));
    let config = RotationConfig { enabled: true, max_operations: 1_000_000, interval_seconds: 86_400 };
    let keyring = keyring.with_rotation_config(config).unwrap();
    assert!(!keyring.rotation_is_due(Timestamp::from_unix_seconds(86_399)));
    assert!(keyring.rotation_is_due(Timestamp::from_unix_seconds(86_400)));
    let tiny = RotationConfig { max_operations: 1, ..config };
    assert!(keyring.with_rotation_config(tiny).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let keyring = Keyring::generate(&SeededEntropy::new(1), Timestamp::from_unix_seconds(0)).unwrap();
        prop_assert!(keyring.decrypt("a", bytes).is_err());
    }

    #[test]
    fn what_is_sealed_opens(bytes in proptest::collection::vec(any::<u8>(), 0..300), context in ".{0,40}") {
        let keyring = Keyring::generate(&SeededEntropy::new(1), Timestamp::from_unix_seconds(0)).unwrap();
        let sealed = keyring.encrypt(&context, &bytes, &SeededEntropy::new(2)).unwrap();
        let opened = keyring.decrypt(&context, sealed.clone()).unwrap();
        prop_assert_eq!(&*opened, &bytes);
        let elsewhere = format!("{context}x");
        prop_assert!(keyring.decrypt(&elsewhere, sealed).is_err());
    }
}
