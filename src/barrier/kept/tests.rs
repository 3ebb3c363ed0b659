use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::*;
use crate::barrier::{Barrier, Cached, Record, Scope};
use crate::entropy::SeededEntropy;
use crate::error::Kind;
use crate::schedule::{Tasks, alone, explore};
use crate::secret::RootKey;
use crate::storage::{MemoryStorage, SteppedStorage};
use crate::time::Timestamp;

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Number(u64);

impl Record for Number {}

/// One record, kept, and the number of the newest change to it that was acknowledged.
struct Site {
    barrier: Arc<Barrier>,
    numbers: Cached<Number>,
    acknowledged: AtomicU64,
}

impl Site {
    /// In which the record is 1, and kept.
    fn new(tasks: &mut Tasks) -> Arc<Self> {
        let entropy = Arc::new(SeededEntropy::new(3));
        let root = RootKey::generate(&*entropy).unwrap();
        let records = Arc::new(MemoryStorage::new());
        let opened = |storage, txn: &mut Txn| {
            Barrier::create(storage, &root, entropy.clone(), Timestamp::from_unix_seconds(1), txn).unwrap()
        };
        let mut txn = Txn::new();
        let first = opened(records.clone(), &mut txn);
        alone(first.commit(txn)).unwrap();
        let store = SteppedStorage::new(records, tasks);
        let barrier = alone(Barrier::unlock(store, &root, entropy.clone())).unwrap();
        let (view, mut txn) = (first.view(Scope::new("root", "numbers")), Txn::new());
        view.insert(&mut txn, "n", &Number(1)).unwrap();
        alone(first.commit(txn)).unwrap();
        let numbers = Cached::new(barrier.view(Scope::new("root", "numbers")), 8);
        Arc::new(Self { barrier, numbers, acknowledged: AtomicU64::new(1) })
    }

    async fn read(&self) {
        let acknowledged = self.acknowledged.load(Ordering::SeqCst);
        let read = self.numbers.get("n").await.unwrap().map_or(0, |number| number.0);
        assert!(read >= acknowledged, "{read} is served after {acknowledged} was acknowledged");
    }

    async fn write(&self) {
        loop {
            let mut txn = Txn::new();
            let next = self.numbers.fetch(&mut txn, "n").await.unwrap().map_or(0, |number| number.0) + 1;
            self.numbers.put(&mut txn, "n", &Number(next)).unwrap();
            match self.barrier.commit(txn).await {
                Ok(()) => {
                    self.acknowledged.fetch_max(next, Ordering::SeqCst);
                    return;
                }
                Err(error) => assert_eq!(error.kind(), Kind::Conflict),
            }
        }
    }
}

#[test]
fn nobody_is_served_less_than_was_acknowledged() {
    explore(250, |tasks| {
        let site = Site::new(tasks);
        for name in ["a reader", "another reader"] {
            let site = site.clone();
            tasks.add(name, async move {
                site.read().await;
                site.read().await;
            });
        }
        for name in ["a writer", "another writer"] {
            let site = site.clone();
            tasks.add(name, async move { site.write().await });
        }
        move || assert_eq!(site.acknowledged.load(Ordering::SeqCst), 3)
    });
}

#[test]
fn a_writer_that_goes_away_leaves_nothing_old_behind() {
    explore(250, |tasks| {
        let site = Site::new(tasks);
        for name in ["a reader", "another reader"] {
            let site = site.clone();
            tasks.add(name, async move { site.read().await });
        }
        for name in ["a writer", "another writer"] {
            let site = site.clone();
            tasks.add_fickle(name, async move { site.write().await });
        }
        move || {
            let kept = alone(site.numbers.get("n")).unwrap().map(|number| number.0);
            let stored = alone(site.numbers.fetch(&mut Txn::new(), "n")).unwrap().map(|number| number.0);
            assert_eq!(kept, stored);
        }
    });
}

#[test]
fn threads_do_not_keep_what_was_changed_meanwhile() {
    let kept = Kept::<u64>::new(8);
    let (truth, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let read = || alone(kept.get_or_read("n", async || Ok(Some(truth.load(Ordering::SeqCst))))).unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    read();
                }
            });
        }
        for number in 1..=50_000 {
            truth.store(number, Ordering::SeqCst);
            kept.0.forget("n");
            if read() != Some(number) {
                over.store(true, Ordering::SeqCst);
                panic!("{:?} is served after {number} was acknowledged", read());
            }
        }
        over.store(true, Ordering::SeqCst);
    });
}
