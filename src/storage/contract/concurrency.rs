//! Many who read and write at once.

use super::*;

pub(super) async fn concurrent_counters_lose_no_increment(subject: Subject) {
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

pub(super) async fn concurrent_readers_see_whole_batches(subject: Subject) {
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

pub(super) async fn a_dropped_caller_does_not_stop_its_batch(mut subject: Subject) {
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
