//! What every store must do, run over each of them, and what those on disk must do besides.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{Batch, DEFAULT_CACHE_BYTES, Expected, Key, Page, Snapshot, Storage, StorageError, open};
use crate::entropy::{Entropy, SeededEntropy, SystemEntropy};

macro_rules! contract {
    ($($kind:ident)+: $tests:tt) => { $( contract! { @kind $kind $tests } )+ };
    (@kind $kind:ident [$($test:ident,)+]) => {
        mod $kind {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let subject = crate::storage::contract::Subject::new(stringify!($kind));
                    crate::storage::contract::$test(subject).await;
                }
            )+
        }
    };
}

contract! { inmem redb sled: [
    keys_are_listed_in_byte_order,
    a_key_and_a_folder_of_the_same_name_both_appear,
    pages_add_up_to_the_whole_list,
    a_prefix_that_is_not_a_folder_is_refused,
    odd_names_come_back_as_they_were,
    the_longest_keys_are_kept_apart,
    the_last_write_to_a_key_counts,
    a_batch_is_written_as_a_whole,
    a_conflict_leaves_nothing,
    expectations_are_about_the_value,
    expectations_alone_are_checked,
    an_empty_batch_does_nothing,
    values_of_every_size_come_back,
    a_large_value_leaves_nothing_behind,
    concurrent_counters_lose_no_increment,
    concurrent_readers_see_whole_batches,
    a_list_does_not_walk_subfolders,
    a_snapshot_is_one_state,
    a_snapshot_goes_on_behind_a_key,
    snapshots_under_writing_are_whole,
    generations_count_transactions,
] }

mod on_disk {
    contract! { redb sled: [
        what_was_acknowledged_is_there_after_reopening,
        a_second_opening_is_refused_until_the_first_is_closed,
        files_are_private,
        an_unfinished_creation_is_begun_again,
        another_kind_is_refused,
        a_dropped_caller_does_not_stop_its_batch,
        an_older_database_is_refused,
        an_older_witness_is_refused,
        an_older_folder_is_not_noticed,
        one_unwitnessed_transaction_is_accepted,
        a_torn_witness_slot_is_tolerated,
        the_database_of_another_store_is_refused,
        missing_files_are_refused,
        damaged_files_are_refused_or_harmless,
        a_snapshot_under_a_flood_is_given_up,
        a_generation_outlives_the_process,
    ] }
}

/// A store and its folder.
struct Subject {
    kind: &'static str,
    dir: TempDir,
    storage: Option<Arc<dyn Storage>>,
}

impl Subject {
    fn new(kind: &'static str) -> Self {
        let mut subject = Self { kind, dir: tempfile::tempdir().unwrap(), storage: None };
        subject.open().unwrap();
        assert_eq!(subject.storage().kind(), kind);
        subject
    }

    fn storage(&self) -> &Arc<dyn Storage> {
        self.storage.as_ref().unwrap()
    }

    fn open(&mut self) -> Result<(), StorageError> {
        self.storage = Some(open_at(self.kind, &self.path())?);
        Ok(())
    }

    fn close(&mut self) {
        let storage = self.storage.take().unwrap();
        assert_eq!(Arc::strong_count(&storage), 1);
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The folder with the database, the witness and the reserve.
    fn folder(&self) -> PathBuf {
        self.path().join(self.kind)
    }

    /// The file or folder of the database within [`Self::folder`].
    fn database(&self) -> &'static str {
        if self.kind == "redb" { "vault.redb" } else { "tree" }
    }

    async fn put(&self, key: &str, value: &[u8]) -> Result<(), StorageError> {
        self.storage().commit(putting(&[(key, value)])).await
    }

    async fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.storage().get(&name(key)).await.unwrap()
    }

    async fn list(&self, prefix: &str) -> Vec<String> {
        self.storage().list(prefix, Page::all()).await.unwrap()
    }

    /// A copy of a closed store's folder.
    fn snapshot(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_into(&self.path(), copy.path());
        copy
    }

    /// Puts one file or folder of the store back from a snapshot.
    fn restore(&self, snapshot: &TempDir, part: &str) {
        let target = self.folder().join(part);
        if target.is_dir() {
            fs::remove_dir_all(&target).unwrap();
        } else {
            fs::remove_file(&target).unwrap();
        }
        copy_into(&snapshot.path().join(self.kind).join(part), &target);
    }

    fn assert_damaged(&mut self) {
        match self.open() {
            Err(StorageError::Damaged(_)) => {}
            Err(other) => panic!("expected damage, not {other:?}"),
            Ok(()) => panic!("the store was opened"),
        }
    }
}

fn open_at(kind: &str, path: &Path) -> Result<Arc<dyn Storage>, StorageError> {
    let metrics = crate::metrics::Metrics::new(crate::time::Timestamp::from_unix_seconds(0));
    open(kind, path, DEFAULT_CACHE_BYTES, &SystemEntropy::new(), &metrics)
}

fn copy_into(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy_into(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

fn name(key: &str) -> Key {
    Key::new(key).unwrap()
}

fn putting(records: &[(&str, &[u8])]) -> Batch {
    let mut batch = Batch::new();
    for (key, value) in records {
        batch.put(name(key), value.to_vec());
    }
    batch
}

/// Bytes that do not repeat.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SeededEntropy::new(seed).fill(&mut bytes).unwrap();
    bytes
}

async fn keys_are_listed_in_byte_order(subject: Subject) {
    let keys = ["b", "a/c", "a/b/c", "a/b/d", "a/é", "a/Z", "c/d/e"];
    for key in keys {
        subject.put(key, b"value").await.unwrap();
    }
    assert_eq!(subject.list("").await, ["a/", "b", "c/"]);
    assert_eq!(subject.list("a/").await, ["Z", "b/", "c", "é"]);
    assert_eq!(subject.list("a/b/").await, ["c", "d"]);
    assert_eq!(subject.list("a/b/c/").await, Vec::<String>::new());
    assert_eq!(subject.list("nothing/").await, Vec::<String>::new());
}

type Records = BTreeMap<String, Vec<u8>>;

/// All of a snapshot, with something done before each page.
async fn read_out(mut snapshot: Box<dyn Snapshot>, mut between: impl FnMut() + Send + 'static) -> Records {
    let reading = tokio::task::spawn_blocking(move || {
        let mut records = Records::new();
        loop {
            between();
            let page = snapshot.next_page().unwrap();
            if page.is_empty() {
                return records;
            }
            for stored in page {
                let before = records.insert(stored.key.as_str().to_owned(), stored.value.unwrap());
                assert_eq!(before, None, "a record came twice");
            }
        }
    });
    reading.await.unwrap()
}

async fn snapshot_of(storage: &Arc<dyn Storage>) -> Box<dyn Snapshot> {
    let storage = Arc::clone(storage);
    tokio::task::spawn_blocking(move || storage.snapshot().unwrap()).await.unwrap()
}

async fn a_snapshot_is_one_state(subject: Subject) {
    let mut expected = Records::new();
    for n in 0..40 {
        let mut batch = Batch::new();
        for m in 0..60 {
            let (key, value) = (format!("k/{:04}", n * 60 + m), noise(if m == 7 { 30_000 } else { 300 }, n * 60 + m));
            batch.put(name(&key), value.clone());
            expected.insert(key, value);
        }
        subject.storage().commit(batch).await.unwrap();
    }
    let before = subject.storage().generation().await.unwrap();
    let (first, second) = (snapshot_of(subject.storage()).await, snapshot_of(subject.storage()).await);
    assert_eq!(first.generation(), before);
    let (storage, handle) = (Arc::clone(subject.storage()), tokio::runtime::Handle::current());
    let mut round = 0;
    let found = read_out(first, move || {
        round += 1;
        // Something ahead of the reading and behind it: changed, removed, and new.
        let mut batch = Batch::new();
        for n in (0..2400).step_by(37) {
            match (n + round) % 3 {
                0 => batch.put(name(&format!("k/{n:04}")), vec![0; 50]),
                1 => batch.delete(name(&format!("k/{n:04}"))),
                _ => batch.put(name(&format!("k/{n:04}/new")), vec![1; 50]),
            }
        }
        handle.block_on(storage.commit(batch)).unwrap();
    })
    .await;
    assert!(found == expected, "{} of {} records", found.len(), expected.len());
    let found = read_out(second, || {}).await;
    assert!(found == expected, "{} of {} records", found.len(), expected.len());
    let now = read_out(snapshot_of(subject.storage()).await, || {}).await;
    assert!(now != expected && now.contains_key("k/0000/new"));
}

async fn a_snapshot_goes_on_behind_a_key(subject: Subject) {
    for key in ["a", "b/c", "b/d", "e"] {
        subject.put(key, b"value").await.unwrap();
    }
    let mut snapshot = snapshot_of(subject.storage()).await;
    snapshot.seek("b/c");
    let found = read_out(snapshot, || {}).await;
    assert_eq!(found.into_keys().collect::<Vec<_>>(), ["b/d", "e"]);
}

async fn snapshots_under_writing_are_whole(subject: Subject) {
    // Two records that always have the same value, at both ends of many others.
    for n in 0..1200 {
        subject.put(&format!("k/{n:04}"), &noise(1500, n)).await.unwrap();
    }
    let storage = Arc::clone(subject.storage());
    storage.commit(putting(&[("a", b"0"), ("z", b"0")])).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        for round in 1..200_u32 {
            let text = round.to_string();
            storage.commit(putting(&[("a", text.as_bytes()), ("z", text.as_bytes())])).await.unwrap();
        }
    });
    let mut seen = 0;
    while !tasks.is_empty() {
        let found = read_out(snapshot_of(subject.storage()).await, || {}).await;
        assert_eq!(found["a"], found["z"]);
        assert_eq!(found.len(), 1202);
        seen += 1;
        while tasks.try_join_next().is_some() {}
    }
    assert!(seen > 0);
}

async fn generations_count_transactions(subject: Subject) {
    let first = subject.storage().generation().await.unwrap();
    for n in 1..5 {
        subject.put("k", b"value").await.unwrap();
        let now = subject.storage().generation().await.unwrap();
        assert_eq!((now.lineage, now.number), (first.lineage, first.number + n));
    }
}

async fn a_generation_outlives_the_process(mut subject: Subject) {
    subject.put("k", b"value").await.unwrap();
    let before = subject.storage().generation().await.unwrap();
    subject.close();
    subject.open().unwrap();
    assert_eq!(subject.storage().generation().await.unwrap(), before);
    let other = Subject::new(subject.kind);
    assert_ne!(other.storage().generation().await.unwrap().lineage, before.lineage);
}

async fn a_snapshot_under_a_flood_is_given_up(subject: Subject) {
    for n in 0..20 {
        subject.put(&format!("k/{n:02}"), &vec![0_u8; 4 << 20]).await.unwrap();
    }
    let mut snapshot = snapshot_of(subject.storage()).await;
    for n in 0..20 {
        subject.put(&format!("k/{n:02}"), b"small").await.unwrap();
    }
    let outcome = tokio::task::spawn_blocking(move || snapshot.next_page()).await.unwrap();
    assert!(matches!(outcome, Err(StorageError::Failed(_))), "{outcome:?}");
    subject.put("k/00", b"writing goes on").await.unwrap();
}

async fn a_key_and_a_folder_of_the_same_name_both_appear(subject: Subject) {
    subject.storage().commit(putting(&[("a", b"1"), ("a!", b"2"), ("a/b", b"3"), ("a0", b"4")])).await.unwrap();
    assert_eq!(subject.list("").await, ["a", "a!", "a/", "a0"]);
    let mut batch = Batch::new();
    batch.delete(name("a/b"));
    subject.storage().commit(batch).await.unwrap();
    assert_eq!(subject.list("").await, ["a", "a!", "a0"]);
    assert_eq!(subject.value("a").await.unwrap(), b"1");
}

async fn pages_add_up_to_the_whole_list(subject: Subject) {
    let keys = (0..25).map(|n| if n % 3 == 0 { format!("x/{n:02}/y/z") } else { format!("x/{n:02}") });
    let mut batch = Batch::new();
    for key in keys {
        batch.put(name(&key), b"value".to_vec());
    }
    subject.storage().commit(batch).await.unwrap();
    let whole = subject.list("x/").await;
    assert_eq!(whole.len(), 25);
    for limit in 1..8 {
        let mut pages = Vec::new();
        let mut page = Page::first(limit);
        loop {
            let names = subject.storage().list("x/", page).await.unwrap();
            assert!(names.len() <= limit);
            let Some(last) = names.last().cloned() else { break };
            pages.extend(names);
            page = Page { after: Some(last), limit: Some(limit) };
        }
        assert_eq!(pages, whole);
    }
    assert_eq!(subject.storage().list("x/", Page::first(0)).await.unwrap(), Vec::<String>::new());
    let behind = Page { after: Some("22zzz".into()), limit: None };
    assert_eq!(subject.storage().list("x/", behind).await.unwrap(), ["23", "24/"]);
}

async fn a_prefix_that_is_not_a_folder_is_refused(subject: Subject) {
    subject.put("a/b", b"value").await.unwrap();
    assert!(matches!(subject.storage().list("a", Page::all()).await, Err(StorageError::BadKey)));
}

async fn odd_names_come_back_as_they_were(subject: Subject) {
    let names =
        ["\0", " ", ".", "..", "%2e", "a\u{301}", "á", "\u{10ffff}", "\u{feff}x", "n\nl", "日本", "\u{7f}", "0", "r"];
    for (value, key) in names.iter().enumerate() {
        subject.put(key, value.to_string().as_bytes()).await.unwrap();
        subject.put(&format!("f/{key}/{key}"), value.to_string().as_bytes()).await.unwrap();
    }
    for (value, key) in names.iter().enumerate() {
        assert_eq!(subject.value(key).await.unwrap(), value.to_string().as_bytes());
        assert_eq!(subject.list(&format!("f/{key}/")).await, [*key]);
    }
    let mut sorted: Vec<_> = names.iter().map(|name| format!("{name}/")).collect();
    sorted.sort();
    assert_eq!(subject.list("f/").await, sorted);
}

async fn the_longest_keys_are_kept_apart(subject: Subject) {
    let stem = "k".repeat(Key::MAX_LEN - 2);
    let keys: Vec<_> = (10..99).map(|n| format!("{stem}{n}")).collect();
    for chunk in keys.chunks(30) {
        let mut batch = Batch::new();
        for key in chunk {
            batch.put(name(key), key.as_bytes()[Key::MAX_LEN - 2..].repeat(500));
        }
        subject.storage().commit(batch).await.unwrap();
    }
    for key in &keys {
        assert_eq!(subject.value(key).await.unwrap(), key.as_bytes()[Key::MAX_LEN - 2..].repeat(500));
    }
    assert_eq!(subject.list("").await, keys);
}

async fn the_last_write_to_a_key_counts(subject: Subject) {
    let mut batch = putting(&[("a", b"first"), ("a", b"second"), ("b", b"first")]);
    batch.delete(name("b"));
    batch.delete(name("c"));
    batch.put(name("c"), b"after".to_vec());
    subject.storage().commit(batch).await.unwrap();
    assert_eq!(subject.value("a").await.unwrap(), b"second");
    assert_eq!(subject.value("b").await, None);
    assert_eq!(subject.value("c").await.unwrap(), b"after");
}

async fn a_batch_is_written_as_a_whole(subject: Subject) {
    subject.put("old", b"value").await.unwrap();
    let mut batch = putting(&[("a", b"1"), ("b", b"2")]);
    batch.delete(name("old"));
    batch.expect(name("old"), Expected::unchanged(Some(b"value")));
    batch.expect(name("a"), Expected::Absent);
    subject.storage().commit(batch).await.unwrap();
    assert_eq!(subject.list("").await, ["a", "b"]);
}

async fn a_conflict_leaves_nothing(subject: Subject) {
    subject.put("taken", b"value").await.unwrap();
    let mut batch = putting(&[("new", b"1"), ("taken", b"2")]);
    batch.delete(name("taken"));
    batch.expect(name("new"), Expected::Absent);
    batch.expect(name("taken"), Expected::Absent);
    assert!(matches!(subject.storage().commit(batch).await, Err(StorageError::Conflict)));
    assert_eq!(subject.list("").await, ["taken"]);
    assert_eq!(subject.value("taken").await.unwrap(), b"value");
}

async fn expectations_are_about_the_value(subject: Subject) {
    let expecting = |expected, value: &[u8]| {
        let mut batch = putting(&[("k", value)]);
        batch.expect(name("k"), expected);
        subject.storage().commit(batch)
    };
    assert!(matches!(expecting(Expected::unchanged(Some(b"")), b"0").await, Err(StorageError::Conflict)));
    expecting(Expected::Absent, b"1").await.unwrap();
    assert!(matches!(expecting(Expected::Absent, b"2").await, Err(StorageError::Conflict)));
    assert!(matches!(expecting(Expected::unchanged(Some(b"2")), b"2").await, Err(StorageError::Conflict)));
    expecting(Expected::unchanged(Some(b"1")), &noise(50_000, 1)).await.unwrap();
    expecting(Expected::unchanged(Some(&noise(50_000, 1))), b"").await.unwrap();
    assert!(matches!(expecting(Expected::Absent, b"3").await, Err(StorageError::Conflict)));
    expecting(Expected::unchanged(Some(b"")), b"3").await.unwrap();
    assert_eq!(subject.value("k").await.unwrap(), b"3");
}

async fn expectations_alone_are_checked(subject: Subject) {
    let mut holds = Batch::new();
    holds.expect(name("k"), Expected::Absent);
    subject.storage().commit(holds).await.unwrap();
    let mut fails = Batch::new();
    fails.expect(name("k"), Expected::unchanged(Some(b"v")));
    assert!(matches!(subject.storage().commit(fails).await, Err(StorageError::Conflict)));
}

async fn an_empty_batch_does_nothing(subject: Subject) {
    subject.storage().commit(Batch::new()).await.unwrap();
    assert_eq!(subject.list("").await, Vec::<String>::new());
}

async fn values_of_every_size_come_back(subject: Subject) {
    let sizes = [0, 1, 2, 255, 4078, 4079, 4080, 4093, 4094, 4095, 4096, 4097, 8158, 65_536, 1 << 20, 8 << 20];
    for size in sizes {
        subject.put(&format!("size/{size}"), &noise(size, 2)).await.unwrap();
    }
    for size in sizes {
        assert_eq!(subject.value(&format!("size/{size}")).await.unwrap(), noise(size, 2), "{size} bytes");
    }
    assert_eq!(subject.list("").await, ["size/"]);
    assert_eq!(subject.list("size/").await.len(), sizes.len());
}

async fn a_large_value_leaves_nothing_behind(mut subject: Subject) {
    subject.put("k", &noise(100_000, 3)).await.unwrap();
    subject.put("k", &noise(50_000, 4)).await.unwrap();
    assert_eq!(subject.value("k").await.unwrap(), noise(50_000, 4));
    subject.put("k", b"small").await.unwrap();
    assert_eq!(subject.value("k").await.unwrap(), b"small");
    let mut batch = putting(&[("k", &noise(100_000, 5))]);
    batch.delete(name("k"));
    subject.storage().commit(batch).await.unwrap();
    assert_eq!(subject.value("k").await, None);
    assert_eq!(subject.list("").await, Vec::<String>::new());
    if subject.kind != "inmem" {
        // Opening counts the parts of values.
        subject.close();
        subject.open().unwrap();
    }
}

async fn concurrent_counters_lose_no_increment(subject: Subject) {
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let storage = Arc::clone(subject.storage());
        tasks.spawn(async move {
            let mut done = 0;
            while done < 10 {
                let old = storage.get(&name("counter")).await.unwrap();
                let count: u32 = old.as_ref().map_or(0, |old| std::str::from_utf8(old).unwrap().parse().unwrap());
                let mut batch = putting(&[("counter", (count + 1).to_string().as_bytes())]);
                batch.expect(name("counter"), Expected::unchanged(old.as_deref()));
                match storage.commit(batch).await {
                    Ok(()) => done += 1,
                    Err(StorageError::Conflict) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(subject.value("counter").await.unwrap(), b"160");
}

async fn concurrent_readers_see_whole_batches(subject: Subject) {
    let both = |round: u32| {
        let value = round.to_string().repeat(3000);
        putting(&[("a", value.as_bytes()), ("b", value.as_bytes())])
    };
    subject.storage().commit(both(0)).await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let storage = Arc::clone(subject.storage());
        tasks.spawn(async move {
            for _ in 0..100 {
                // Read one after the other, so `b` is of the same batch as `a` or of a later one.
                let a = storage.get(&name("a")).await.unwrap().unwrap();
                let b = storage.get(&name("b")).await.unwrap().unwrap();
                assert_eq!((a.len() % 3000, b.len() % 3000), (0, 0));
                let round = |value: &[u8]| {
                    let digits = value.len() / 3000;
                    assert!(value.chunks(digits).all(|chunk| chunk == &value[..digits]), "a torn value");
                    std::str::from_utf8(&value[..digits]).unwrap().parse::<u32>().unwrap()
                };
                assert!(round(&b) >= round(&a));
            }
        });
    }
    for round in 1..50 {
        subject.storage().commit(both(round)).await.unwrap();
    }
    tasks.join_all().await;
}

async fn a_list_does_not_walk_subfolders(subject: Subject) {
    for block in 0..10 {
        let mut batch = Batch::new();
        for n in 0..2000 {
            batch.put(name(&format!("big/folder/{block}-{n}")), b"v".to_vec());
        }
        batch.put(name(&format!("small/{block}/only")), b"v".to_vec());
        subject.storage().commit(batch).await.unwrap();
    }
    let mut times = BTreeMap::new();
    for prefix in ["big/", "small/", "big/folder/"] {
        let mut best = Duration::MAX;
        for _ in 0..20 {
            let begin = Instant::now();
            subject.list(prefix).await;
            best = best.min(begin.elapsed());
        }
        times.insert(prefix, best);
    }
    assert_eq!(subject.list("big/").await, ["folder/"]);
    assert_eq!(subject.list("big/folder/").await.len(), 20_000);
    // One key of 20,000 is read: anything near the time of the whole folder means that it was walked.
    assert!(times["big/"] * 20 < times["big/folder/"], "{times:?}");
}

async fn what_was_acknowledged_is_there_after_reopening(mut subject: Subject) {
    for round in 0..5_u64 {
        subject.put(&format!("small/{round}"), &noise(300, round)).await.unwrap();
        subject.put(&format!("large/{round}"), &noise(30_000, round)).await.unwrap();
        subject.put("overwritten", &noise(5000, round)).await.unwrap();
        subject.close();
        subject.open().unwrap();
        for earlier in 0..=round {
            assert_eq!(subject.value(&format!("small/{earlier}")).await.unwrap(), noise(300, earlier));
            assert_eq!(subject.value(&format!("large/{earlier}")).await.unwrap(), noise(30_000, earlier));
        }
        assert_eq!(subject.value("overwritten").await.unwrap(), noise(5000, round));
    }
}

async fn a_second_opening_is_refused_until_the_first_is_closed(mut subject: Subject) {
    subject.put("k", b"v").await.unwrap();
    let Err(StorageError::Failed(why)) = open_at(subject.kind, &subject.path()) else {
        panic!("opened twice");
    };
    assert!(why.to_string().contains("another process"));
    subject.close();
    subject.open().unwrap();
    assert_eq!(subject.value("k").await.unwrap(), b"v");
}

async fn files_are_private(mut subject: Subject) {
    subject.put("k", &noise(20_000, 1)).await.unwrap();
    subject.close();
    subject.open().unwrap();
    let mut folders = vec![subject.path()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700, "{folder:?}");
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files += 1;
                assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
            }
        }
    }
    assert!(files >= 4);
    assert_eq!(fs::metadata(subject.folder().join("reserve")).unwrap().len(), 1 << 20);
}

async fn an_unfinished_creation_is_begun_again(mut subject: Subject) {
    subject.close();
    fs::rename(subject.folder(), subject.path().join(format!("{}.new", subject.kind))).unwrap();
    fs::write(subject.path().join(format!("{}.new", subject.kind)).join("witness"), b"torn").unwrap();
    subject.open().unwrap();
    subject.put("k", b"v").await.unwrap();
    subject.close();
    subject.open().unwrap();
    assert_eq!(subject.value("k").await.unwrap(), b"v");
}

async fn another_kind_is_refused(mut subject: Subject) {
    subject.close();
    subject.kind = if subject.kind == "redb" { "sled" } else { "redb" };
    assert!(matches!(subject.open(), Err(StorageError::Failed(_))));
    assert!(!subject.folder().exists());
}

async fn a_dropped_caller_does_not_stop_its_batch(mut subject: Subject) {
    for n in 0..20 {
        let key = format!("k/{n:02}");
        let commit = subject.put(&key, b"v");
        // Polled once: the batch is in the queue, and the caller goes away.
        tokio::select! { biased; _ = commit => {}, () = std::future::ready(()) => {} }
    }
    subject.close();
    subject.open().unwrap();
    assert_eq!(subject.list("k/").await.len(), 20);
}

async fn an_older_database_is_refused(mut subject: Subject) {
    subject.put("k", b"1").await.unwrap();
    subject.close();
    let snapshot = subject.snapshot();
    subject.open().unwrap();
    subject.put("k", b"2").await.unwrap();
    subject.close();
    subject.restore(&snapshot, subject.database());
    subject.assert_damaged();
}

async fn an_older_witness_is_refused(mut subject: Subject) {
    subject.put("k", b"1").await.unwrap();
    subject.close();
    let snapshot = subject.snapshot();
    subject.open().unwrap();
    subject.put("k", b"2").await.unwrap();
    subject.put("k", b"3").await.unwrap();
    subject.close();
    subject.restore(&snapshot, "witness");
    subject.assert_damaged();
}

/// What the chain does not protect from; if this ever fails, its documentation is out of date.
async fn an_older_folder_is_not_noticed(mut subject: Subject) {
    subject.put("k", b"1").await.unwrap();
    subject.close();
    let snapshot = subject.snapshot();
    subject.open().unwrap();
    subject.put("k", b"2").await.unwrap();
    subject.close();
    subject.restore(&snapshot, subject.database());
    subject.restore(&snapshot, "witness");
    subject.open().unwrap();
    assert_eq!(subject.value("k").await.unwrap(), b"1");
}

async fn one_unwitnessed_transaction_is_accepted(mut subject: Subject) {
    subject.put("k", b"1").await.unwrap();
    subject.close();
    let snapshot = subject.snapshot();
    subject.open().unwrap();
    subject.put("k", b"2").await.unwrap();
    subject.close();
    subject.restore(&snapshot, "witness");
    subject.open().unwrap();
    assert_eq!(subject.value("k").await.unwrap(), b"2");
    // It was caught up with: one more of the same is one again and not two.
    subject.put("k", b"3").await.unwrap();
    subject.close();
    subject.open().unwrap();
    assert_eq!(subject.value("k").await.unwrap(), b"3");
}

async fn a_torn_witness_slot_is_tolerated(mut subject: Subject) {
    for _ in 0..3 {
        subject.put("k", b"v").await.unwrap();
    }
    subject.close();
    let path = subject.folder().join("witness");
    let sound = fs::read(&path).unwrap();
    for slot in [4096, 8192] {
        let mut torn = sound.clone();
        torn[slot + 20] ^= 1;
        fs::write(&path, torn).unwrap();
        subject.open().unwrap();
        subject.close();
    }
    let mut torn = sound;
    torn[4096 + 20] ^= 1;
    torn[8192 + 20] ^= 1;
    fs::write(&path, torn).unwrap();
    subject.assert_damaged();
}

async fn the_database_of_another_store_is_refused(mut subject: Subject) {
    let mut other = Subject::new(subject.kind);
    for subject in [&mut subject, &mut other] {
        subject.put("k", b"v").await.unwrap();
        subject.close();
    }
    subject.restore(&other.snapshot(), other.database());
    subject.assert_damaged();
}

async fn missing_files_are_refused(mut subject: Subject) {
    subject.put("k", b"v").await.unwrap();
    subject.close();
    let snapshot = subject.snapshot();
    let database = if subject.kind == "redb" { "vault.redb" } else { "tree/db" };
    for file in ["witness", database] {
        fs::remove_file(subject.folder().join(file)).unwrap();
        subject.assert_damaged();
        fs::write(subject.folder().join(file), b"").unwrap();
        subject.assert_damaged();
        fs::copy(snapshot.path().join(subject.kind).join(file), subject.folder().join(file)).unwrap();
        subject.open().unwrap();
        subject.close();
    }
}

/// Damage of many kinds at many places: the store is refused, or every record is there and right, or reading it fails.
async fn damaged_files_are_refused_or_harmless(mut subject: Subject) {
    let value = |n: u64| noise(if n.is_multiple_of(20) { 20_000 } else { 300 }, n);
    for block in 0..10 {
        let mut batch = Batch::new();
        for n in block * 20..(block + 1) * 20 {
            batch.put(name(&format!("k/{n:03}")), value(n));
        }
        subject.storage().commit(batch).await.unwrap();
    }
    subject.close();
    let snapshot = subject.snapshot();
    subject.open().unwrap();
    assert_eq!(look(&**subject.storage(), &value).await, "harmless");
    let random = SeededEntropy::new(7);
    let mut outcomes = BTreeMap::<&str, u32>::new();
    for trial in 0..TRIALS {
        let copy = tempfile::tempdir().unwrap();
        copy_into(snapshot.path(), copy.path());
        let what = damage(&copy.path().join(subject.kind), trial, &random);
        let outcome = match open_at(subject.kind, copy.path()) {
            Err(_) => "refused",
            Ok(storage) => look(&*storage, &value).await,
        };
        *outcomes.entry(outcome).or_default() += 1;
        assert_ne!(outcome, "silent", "trial {trial}: {what}; up to now {outcomes:?}");
    }
    assert!(outcomes.get("refused").is_some_and(|count| *count > TRIALS / 4), "{outcomes:?}");
    println!("{}: {outcomes:?}", subject.kind);
}

const TRIALS: u32 = 80;

/// What reading every record of a damaged store shows.
async fn look(storage: &dyn Storage, value: &impl Fn(u64) -> Vec<u8>) -> &'static str {
    let mut outcome = "harmless";
    match storage.list("k/", Page::all()).await {
        Err(_) => outcome = "read error",
        Ok(names) if names.len() < 200 => return "silent",
        Ok(_) => {}
    }
    for n in 0..200 {
        match storage.get(&name(&format!("k/{n:03}"))).await {
            Err(_) => outcome = "read error",
            Ok(None) => return "silent",
            // A changed value is for the barrier's authenticated encryption to notice.
            Ok(Some(found)) if found != value(n) => outcome = "changed value",
            Ok(Some(_)) => {}
        }
    }
    outcome
}

/// Damages one file below `folder`, larger ones more often, and says how.
fn damage(folder: &Path, trial: u32, random: &dyn Entropy) -> String {
    let mut files = vec![folder.join("witness")];
    if folder.join("tree").exists() {
        files.extend(fs::read_dir(folder.join("tree")).unwrap().map(|entry| entry.unwrap().path()));
        files.retain(|path| path.is_file());
    } else {
        files.push(folder.join("vault.redb"));
    }
    files.sort_by_key(|path| fs::metadata(path).unwrap().len());
    let number = || u64::from_be_bytes(random.bytes().unwrap());
    let any = usize::try_from(number() % files.len() as u64).unwrap();
    let path = if trial.is_multiple_of(4) { &files[any] } else { files.last().unwrap() };
    let mut bytes = fs::read(path).unwrap();
    // Within what is used: sled's log is preallocated.
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
    let at = usize::try_from(number() % used as u64).unwrap();
    let how = match trial % 5 {
        0 => {
            bytes[at] ^= 1 << (number() % 8);
            "flipped a bit"
        }
        1 => {
            bytes[at..].iter_mut().take(8).for_each(|byte| *byte = !*byte);
            "flipped 8 bytes"
        }
        2 => {
            bytes[at / 512 * 512..].iter_mut().take(512).for_each(|byte| *byte = 0);
            "zeroed a sector"
        }
        3 => {
            bytes.truncate(used - at.min(4096).min(used));
            "cut the tail"
        }
        _ => {
            bytes.truncate(at);
            "cut anywhere"
        }
    };
    fs::write(path, bytes).unwrap();
    format!("{how} at {at} of {used} in {}", path.file_name().unwrap().display())
}
