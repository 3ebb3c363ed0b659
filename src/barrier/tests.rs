use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::entropy::SeededEntropy;
use crate::storage::fault::{FaultyStorage, Moment};
use crate::storage::{MemoryStorage, Page, Storage, StorageError};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    text: String,
}

impl Record for Note {}

fn note(text: &str) -> Note {
    Note { text: text.to_owned() }
}

struct Fixture {
    bytes: Arc<MemoryStorage>,
    root: RootKey,
    barrier: Arc<Barrier>,
}

async fn fixture() -> Fixture {
    let entropy = Arc::new(SeededEntropy::new(7));
    let root = RootKey::generate(&*entropy).unwrap();
    let bytes = Arc::new(MemoryStorage::new());
    let mut txn = Txn::new();
    let barrier =
        Barrier::create(bytes.clone(), &root, entropy.clone(), Timestamp::from_unix_seconds(1), &mut txn).unwrap();
    barrier.commit(txn).await.unwrap();
    Fixture { bytes, root, barrier }
}

async fn raw(f: &Fixture, key: &str) -> Vec<u8> {
    f.bytes.get(&Key::new(key).unwrap()).await.unwrap().unwrap()
}

async fn set_raw(f: &Fixture, key: &str, value: Vec<u8>) {
    let mut batch = Batch::new();
    batch.put(Key::new(key).unwrap(), value);
    f.bytes.commit(batch).await.unwrap();
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
    let stored = raw(&f, "ns/root/test/a/b").await;
    assert!(!stored.windows(7).any(|part| part == b"hunter2"));
    assert_eq!(format!("{:?}", f.barrier), "Barrier { .. }", "nor in what is shown of it");
}

/// The same as a later server stores it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct LaterNote {
    text: String,
}

impl Record for LaterNote {
    const VERSION: u16 = 2;

    fn upgrade(from: u16, json: &[u8]) -> Result<Self> {
        let Note { text } = serde_json::from_slice(json).map_err(|_| Error::corrupt("no note"))?;
        Ok(Self { text: format!("{text}, of version {from}") })
    }
}

#[tokio::test]
async fn a_record_is_read_as_the_version_that_was_written() {
    let f = fixture().await;
    let view = f.barrier.view(Scope::new("root", "test"));
    write(&view, "old", "text").await;
    let mut txn = Txn::new();
    view.put(&mut txn, "new", &LaterNote { text: "text".to_owned() }).unwrap();
    view.commit(txn).await.unwrap();
    let read = async |key| view.get::<LaterNote>(key).await.unwrap().unwrap().text;
    assert_eq!((read("old").await, read("new").await), ("text, of version 1".to_owned(), "text".to_owned()));
    let refused = view.get::<Note>("new").await.unwrap_err();
    assert!(refused.to_string().contains("unknown version"), "{refused}");
}

#[tokio::test]
async fn records_are_found_wherever_they_lie() {
    let f = fixture().await;
    let view = f.barrier.view(Scope::new("root", "test"));
    assert_eq!(view.scan("").await.unwrap(), Vec::<String>::new());
    for key in ["b", "a/b/c", "a/d", "a.b", "a/b/a", "e/f"] {
        write(&view, key, "text").await;
    }
    write(&f.barrier.view(Scope::new("root", "other")), "z", "text").await;
    assert_eq!(view.scan("").await.unwrap(), ["a.b", "a/b/a", "a/b/c", "a/d", "b", "e/f"]);
    assert_eq!(view.scan("a/").await.unwrap(), ["b/a", "b/c", "d"]);
    assert_eq!((view.exists("b").await.unwrap(), view.exists("a").await.unwrap()), (true, false));
    assert!(!view.exists("z").await.unwrap());
}

#[tokio::test]
async fn a_record_that_was_moved_or_changed_does_not_open() {
    let f = fixture().await;
    let view = f.barrier.view(Scope::new("root", "test"));
    write(&view, "a", "one").await;
    let stored = raw(&f, "ns/root/test/a").await;
    set_raw(&f, "ns/root/test/b", stored.clone()).await;
    assert!(view.get::<Note>("b").await.is_err());
    for index in 0..stored.len() {
        let mut damaged = stored.clone();
        damaged[index] ^= 1;
        set_raw(&f, "ns/root/test/a", damaged).await;
        assert!(view.get::<Note>("a").await.is_err(), "byte {index}");
        set_raw(&f, "ns/root/test/a", stored[..index].to_vec()).await;
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_term_is_lost_to_another_writer_of_the_keyring() {
    let f = Arc::new(fixture().await);
    let tasks = tokio_util::task::TaskTracker::new();
    let writer = |work: u64| {
        let f = f.clone();
        tasks.spawn(async move {
            for second in 0..20_u64 {
                match work {
                    0 => f.barrier.rotate(&f.root, Timestamp::from_unix_seconds(2)).await.map(|_| ()).unwrap(),
                    1 => f.barrier.persist_count(&f.root).await.unwrap(),
                    _ => {
                        let config = RotationConfig { interval_seconds: 86_400 + second, ..RotationConfig::default() };
                        f.barrier.configure_rotation(config, &f.root).await.unwrap();
                    }
                }
                tokio::task::yield_now().await;
            }
        })
    };
    for task in [writer(0), writer(1), writer(2), writer(0)] {
        task.await.unwrap();
    }
    let view = f.barrier.view(Scope::new("root", "test"));
    write(&view, "newest", "kept").await;
    assert_eq!(f.barrier.key_status().unwrap().term, 41);
    let again = Barrier::unlock(f.bytes.clone(), &f.root, Arc::new(SeededEntropy::new(8))).await.unwrap();
    assert_eq!(again.key_status().unwrap().term, 41);
    assert_eq!(again.view(Scope::new("root", "test")).get::<Note>("newest").await.unwrap(), Some(note("kept")));
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
    assert_eq!(view.list("", Page::all()).await.unwrap(), Vec::<String>::new());
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

#[tokio::test]
async fn a_ciphertext_is_told_from_what_is_in_clear() {
    let f = fixture().await;
    assert!(is_ciphertext(&f.barrier.seal("a/b", b"plain").unwrap()));
    let shortest = f.barrier.seal("a/b", b"").unwrap();
    assert!(is_ciphertext(&shortest));
    for clear in [b"".as_slice(), b"{\"config\":{}}", b"v1", &shortest[..shortest.len() - 1]] {
        assert!(!is_ciphertext(clear), "{clear:?}");
    }
}

#[tokio::test]
async fn what_was_encrypted_is_counted_over_a_restart() {
    let f = fixture().await;
    let after_restart = async || {
        let again = Barrier::unlock(f.bytes.clone(), &f.root, Arc::new(SeededEntropy::new(8))).await.unwrap();
        again.key_status().unwrap().encryptions
    };
    let before = after_restart().await;
    for _ in 0..20 {
        f.barrier.seal("a/b", b"plain").unwrap();
    }
    assert_eq!(after_restart().await, before);
    f.barrier.persist_count(&f.root).await.unwrap();
    assert!(after_restart().await >= before + 20);
}

#[tokio::test]
async fn records_are_counted_in_every_folder() {
    let f = fixture().await;
    let view = f.barrier.view(Scope::new("root", "test"));
    assert_eq!(view.count().await.unwrap(), 0);
    for key in ["a", "b/c", "b/d/e"] {
        write(&view, key, "text").await;
    }
    assert_eq!(view.count().await.unwrap(), 3);
}

#[tokio::test]
async fn a_folder_is_counted_however_many_records_it_has() {
    let f = fixture().await;
    let view = f.barrier.view(Scope::new("root", "test"));
    for (from, to) in [(0, 1024), (1024, 2500)] {
        let mut txn = Txn::new();
        for number in from..to {
            view.put(&mut txn, &format!("a/{number}"), &note("text")).unwrap();
        }
        view.commit(txn).await.unwrap();
        assert_eq!(view.count().await.unwrap(), to);
    }
}

#[tokio::test]
async fn a_transaction_is_empty_until_something_is_to_be_written() {
    let f = fixture().await;
    let (view, mut txn) = (f.barrier.view(Scope::new("root", "test")), Txn::new());
    assert!(txn.is_empty());
    view.put(&mut txn, "a", &note("one")).unwrap();
    assert!(!txn.is_empty());
    let shown = format!("{txn:?}");
    assert!(shown.starts_with("Txn { batch: Batch"), "{shown}");
}

#[tokio::test]
async fn what_follows_a_commit_follows_only_if_it_is_written() {
    let f = fixture().await;
    let view = f.barrier.view(Scope::new("root", "test"));
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let transaction = async |name: &'static str| {
        let mut txn = Txn::new();
        view.fetch::<Note>(&mut txn, "a").await.unwrap();
        view.put(&mut txn, "a", &note(name)).unwrap();
        let (written, settled) = (told.clone(), told.clone());
        txn.on_commit(move || written.lock().unwrap().push((name, "written")));
        txn.on_settled(move || settled.lock().unwrap().push((name, "settled")));
        txn
    };
    let (one, other) = (transaction("one").await, transaction("other").await);
    f.barrier.commit(one).await.unwrap();
    assert!(f.barrier.commit(other).await.is_err());
    let mut told = std::mem::take(&mut *told.lock().unwrap());
    told.sort_unstable();
    assert_eq!(told, [("one", "settled"), ("one", "written"), ("other", "settled")]);
}

#[tokio::test]
async fn when_keys_are_rotated_is_told_as_it_was_configured_also_after_a_restart() {
    let f = fixture().await;
    let config = RotationConfig { enabled: true, max_operations: 2_000_000, interval_seconds: 86_400 };
    f.barrier.configure_rotation(config, &f.root).await.unwrap();
    assert_eq!(f.barrier.rotation_config().unwrap(), config);
    let again = Barrier::unlock(f.bytes.clone(), &f.root, Arc::new(SeededEntropy::new(8))).await.unwrap();
    assert_eq!(again.rotation_config().unwrap(), config);
    for (seconds, is_due) in [(86_400, false), (86_401, true)] {
        // The key was made in the first second.
        assert_eq!(again.rotation_is_due(Timestamp::from_unix_seconds(seconds)).unwrap(), is_due, "{seconds}");
    }
}

#[tokio::test]
async fn keys_are_rotated_once_a_day_at_most_or_never() {
    let f = fixture().await;
    let config = |interval_seconds| RotationConfig { interval_seconds, ..f.barrier.rotation_config().unwrap() };
    for (seconds, is_taken) in [(0, true), (60, false), (86_399, false), (86_400, true)] {
        assert_eq!(f.barrier.configure_rotation(config(seconds), &f.root).await.is_ok(), is_taken, "{seconds}");
    }
}

// ── what is kept decoded ──

fn cached(storage: Arc<dyn Storage>) -> (Arc<Barrier>, Cached<Note>, View) {
    let entropy = Arc::new(SeededEntropy::new(7));
    let root = RootKey::generate(&*entropy).unwrap();
    let barrier = Barrier::create(storage, &root, entropy, Timestamp::from_unix_seconds(1), &mut Txn::new()).unwrap();
    let view = barrier.view(Scope::new("root", "test"));
    (barrier, Cached::new(view.clone(), 8), view)
}

async fn text_of(cached: &Cached<Note>, key: &str) -> Option<String> {
    cached.get(key).await.unwrap().map(|note| note.text.clone())
}

#[tokio::test]
async fn a_kept_record_is_what_was_committed_last() {
    let (barrier, cached, view) = cached(Arc::new(MemoryStorage::new()));
    let mut txn = Txn::new();
    cached.insert(&mut txn, "a", &note("1")).unwrap();
    assert_eq!(text_of(&cached, "a").await, None);
    barrier.commit(txn).await.unwrap();
    assert_eq!(text_of(&cached, "a").await.as_deref(), Some("1"));
    let kept = cached.get("a").await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&kept, &cached.get("a").await.unwrap().unwrap()), "it is kept");
    let mut txn = Txn::new();
    cached.put(&mut txn, "a", &note("2")).unwrap();
    assert_eq!(text_of(&cached, "a").await.as_deref(), Some("1"), "not before the commit");
    barrier.commit(txn).await.unwrap();
    assert_eq!(text_of(&cached, "a").await.as_deref(), Some("2"));
    let mut txn = Txn::new();
    cached.delete(&mut txn, "a").unwrap();
    barrier.commit(txn).await.unwrap();
    assert_eq!(text_of(&cached, "a").await, None);
    assert_eq!(view.get::<Note>("a").await.unwrap(), None);
}

#[tokio::test]
async fn what_is_kept_does_not_grow() {
    let (barrier, cached, _) = cached(Arc::new(MemoryStorage::new()));
    for number in 0..100 {
        let (mut txn, key) = (Txn::new(), number.to_string());
        cached.insert(&mut txn, &key, &note(&key)).unwrap();
        barrier.commit(txn).await.unwrap();
        assert_eq!(text_of(&cached, &key).await, Some(key));
    }
    let shown = format!("{cached:?}");
    let kept = shown.rsplit_once("kept: ").unwrap().1.trim_end_matches(" }").parse::<usize>().unwrap();
    assert!((1..=16).contains(&kept), "{shown}");
}

/// A store may write and fail all the same: what was removed must not live on in memory.
#[tokio::test]
async fn a_commit_that_fails_is_forgotten_too() {
    let faulty = Arc::new(FaultyStorage::new(Arc::new(MemoryStorage::new())));
    let (barrier, cached, _) = cached(faulty.clone());
    let mut txn = Txn::new();
    cached.insert(&mut txn, "a", &note("1")).unwrap();
    barrier.commit(txn).await.unwrap();
    assert_eq!(text_of(&cached, "a").await.as_deref(), Some("1"));
    faulty.fail_commit(faulty.commits() + 1, Moment::After, StorageError::Damaged("a test".into()));
    let mut txn = Txn::new();
    cached.delete(&mut txn, "a").unwrap();
    assert!(barrier.commit(txn).await.is_err());
    assert_eq!(text_of(&cached, "a").await, None);
}
