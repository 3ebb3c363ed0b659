//! What every store must do, run over each of them, and what those on disk must do besides.

mod concurrency;
mod damage;
mod listing;
mod snapshots;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{Batch, Expected, Key, Opening, Page, Snapshot, Storage, StorageError, open};
use crate::entropy::{Entropy, SeededEntropy, SystemEntropy};

use concurrency::{
    a_dropped_caller_does_not_stop_its_batch, concurrent_counters_lose_no_increment,
    concurrent_readers_see_whole_batches,
};
use damage::{
    a_torn_witness_slot_is_tolerated, an_older_database_is_refused, an_older_folder_is_not_noticed,
    an_older_witness_is_refused, damaged_files_are_refused_or_harmless, missing_files_are_refused,
    one_unwitnessed_transaction_is_accepted, the_database_of_another_store_is_refused,
};
use listing::{
    a_key_and_a_folder_of_the_same_name_both_appear, a_list_does_not_walk_subfolders,
    a_prefix_that_is_not_a_folder_is_refused, keys_are_listed_in_byte_order, odd_names_come_back_as_they_were,
    pages_add_up_to_the_whole_list, the_longest_keys_are_kept_apart,
};
use snapshots::{
    a_generation_outlives_the_process, a_snapshot_goes_on_behind_a_key, a_snapshot_is_one_state,
    a_snapshot_under_a_flood_is_given_up, generations_count_transactions, snapshots_under_writing_are_whole,
};

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
    open(kind, path, Opening::default(), &SystemEntropy::new(), &metrics)
}

/// Copies a folder, or a file.
pub(crate) fn copy_into(from: &Path, to: &Path) {
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

/// All files below `folder`, in no order.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// How many rounds were asked for, if that was said.
pub(crate) fn rounds() -> Option<usize> {
    std::env::var_os("ARCA_TORTURE_ROUNDS").and_then(|rounds| rounds.to_str()?.parse().ok())
}

/// A batch that puts these values at their keys, and removes what has none.
pub(crate) fn batch_of(writes: &[(&str, Option<Vec<u8>>)]) -> Batch {
    let mut batch = Batch::new();
    for (key, value) in writes {
        match value {
            Some(value) => batch.put(name(key), value.clone()),
            None => batch.delete(name(key)),
        }
    }
    batch
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
    let Err(StorageError::Refused(why)) = open_at(subject.kind, &subject.path()) else {
        panic!("opened twice");
    };
    assert!(why.contains("another process"));
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
    assert!(matches!(subject.open(), Err(StorageError::Refused(_))));
    assert!(!subject.folder().exists());
}
