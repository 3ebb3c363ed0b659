//! One state of a store, whatever is written meanwhile.

use super::*;

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

/// The same, read from the files.
async fn reread_of(storage: &Arc<dyn Storage>) -> Box<dyn Snapshot> {
    let storage = Arc::clone(storage);
    tokio::task::spawn_blocking(move || storage.reread().unwrap()).await.unwrap()
}

pub(super) async fn a_snapshot_is_one_state(subject: Subject) {
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
    let again = reread_of(subject.storage()).await;
    assert_eq!((first.generation(), again.generation()), (before, before));
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
    let found = read_out(again, || {}).await;
    assert!(found == expected, "{} of {} records", found.len(), expected.len());
    for now in [snapshot_of(subject.storage()).await, reread_of(subject.storage()).await] {
        let now = read_out(now, || {}).await;
        assert!(now != expected && now.contains_key("k/0000/new"));
    }
}

pub(super) async fn a_snapshot_goes_on_behind_a_key(subject: Subject) {
    for key in ["a", "b/c", "b/d", "e"] {
        subject.put(key, b"value").await.unwrap();
    }
    let mut snapshot = snapshot_of(subject.storage()).await;
    snapshot.seek("b/c");
    let found = read_out(snapshot, || {}).await;
    assert_eq!(found.into_keys().collect::<Vec<_>>(), ["b/d", "e"]);
}

pub(super) async fn snapshots_under_writing_are_whole(subject: Subject) {
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
        for snapshot in [snapshot_of(subject.storage()).await, reread_of(subject.storage()).await] {
            let found = read_out(snapshot, || {}).await;
            assert_eq!(found["a"], found["z"]);
            assert_eq!(found.len(), 1202);
        }
        seen += 1;
        while tasks.try_join_next().is_some() {}
    }
    assert!(seen > 0);
}

pub(super) async fn generations_count_transactions(subject: Subject) {
    let first = subject.storage().generation().await.unwrap();
    for n in 1..5 {
        subject.put("k", b"value").await.unwrap();
        let now = subject.storage().generation().await.unwrap();
        assert_eq!((now.lineage, now.number), (first.lineage, first.number + n));
    }
}

pub(super) async fn a_generation_outlives_the_process(mut subject: Subject) {
    subject.put("k", b"value").await.unwrap();
    let before = subject.storage().generation().await.unwrap();
    subject.close();
    subject.open().unwrap();
    assert_eq!(subject.storage().generation().await.unwrap(), before);
    let other = Subject::new(subject.kind);
    assert_ne!(other.storage().generation().await.unwrap().lineage, before.lineage);
}

pub(super) async fn a_snapshot_under_a_flood_is_given_up(subject: Subject) {
    for n in 0..20 {
        subject.put(&format!("k/{n:02}"), &vec![0_u8; 4 << 20]).await.unwrap();
    }
    let mut snapshot = snapshot_of(subject.storage()).await;
    for n in 0..20 {
        subject.put(&format!("k/{n:02}"), b"small").await.unwrap();
    }
    let outcome = tokio::task::spawn_blocking(move || snapshot.next_page()).await.unwrap();
    assert!(matches!(outcome, Err(StorageError::Overtaken)), "{outcome:?}");
    subject.put("k/00", b"writing goes on").await.unwrap();
}
