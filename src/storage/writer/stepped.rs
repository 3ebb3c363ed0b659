//! A test instrument: a store whose every answer takes steps, and which writes as the stores on disk do.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use super::{Batch, Changes, Key, QUEUE, Request, StorageError, Target, write_all};
use crate::metrics::Metrics;
use crate::schedule::{Tasks, alone, turn};
use crate::storage::{Generation, MemoryStorage, Page, Snapshot, Storage};
use crate::time::Timestamp;

/// A store in memory with a group commit, whose writer is a task in place of a thread.
#[derive(Debug)]
pub(crate) struct SteppedStorage {
    records: Arc<MemoryStorage>,
    queue: mpsc::Sender<Request>,
}

impl SteppedStorage {
    /// The store over `records`. Its writer is added to `tasks`.
    pub(crate) fn new(records: Arc<MemoryStorage>, tasks: &mut Tasks) -> Arc<Self> {
        let (queue, mut requests) = mpsc::channel(QUEUE);
        let mut target = Records(records.clone());
        let metrics = Metrics::new(Timestamp::from_unix_seconds(0));
        tasks.serve("the writer", async move {
            while let Some(first) = requests.recv().await {
                turn().await;
                write_all(&mut target, first, &mut requests, &metrics);
            }
        });
        Arc::new(Self { records, queue })
    }
}

#[async_trait]
impl Storage for SteppedStorage {
    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        let found = self.records.get(key).await;
        turn().await;
        found
    }

    async fn list(&self, prefix: &str, page: Page) -> Result<Vec<String>, StorageError> {
        let found = self.records.list(prefix, page).await;
        turn().await;
        found
    }

    async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        let (reply, outcome) = oneshot::channel();
        self.queue.send(Request { batch, reply }).await.map_err(|_| StorageError::ReadOnly)?;
        outcome.await.map_err(|_| StorageError::ReadOnly)?
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StorageError> {
        self.records.snapshot()
    }

    async fn generation(&self) -> Result<Generation, StorageError> {
        self.records.generation().await
    }

    fn kind(&self) -> &'static str {
        "stepped"
    }
}

struct Records(Arc<MemoryStorage>);

impl Target for Records {
    fn prepare(&mut self) -> Result<(), StorageError> {
        Ok(())
    }

    fn value(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        alone(self.0.get(key))
    }

    fn apply(&mut self, changes: &Changes) -> Result<(), StorageError> {
        let mut batch = Batch::new();
        for (key, value) in changes {
            match value {
                Some(value) => batch.put(key.clone(), value.clone()),
                None => batch.delete(key.clone()),
            }
        }
        alone(self.0.commit(batch))
    }
}

mod tests {
    use super::*;
    use crate::schedule::explore;
    use crate::storage::Expected;

    fn number(stored: Option<&[u8]>) -> u8 {
        stored.and_then(|value| value.first().copied()).unwrap_or_default()
    }

    /// Adds one to the number at `key`, however often others are faster.
    async fn add_one(store: &SteppedStorage, key: &Key) -> u8 {
        loop {
            let before = store.get(key).await.unwrap();
            let next = number(before.as_deref()) + 1;
            let mut batch = Batch::new();
            batch.expect(key.clone(), Expected::unchanged(before.as_deref()));
            batch.put(key.clone(), vec![next]);
            match store.commit(batch).await {
                Err(StorageError::Conflict) => {}
                outcome => return outcome.map(|()| next).unwrap(),
            }
        }
    }

    #[test]
    fn no_addition_is_lost_in_a_group() {
        explore(600, |tasks| {
            let records = Arc::new(MemoryStorage::new());
            let store = SteppedStorage::new(records.clone(), tasks);
            let key = Key::new("count").unwrap();
            for name in ["first", "second", "third"] {
                let (store, key) = (store.clone(), key.clone());
                tasks.add(name, async move {
                    let mine = add_one(&store, &key).await;
                    let seen = number(store.get(&key).await.unwrap().as_deref());
                    assert!(seen >= mine, "{seen} is read after {mine} was acknowledged");
                });
            }
            move || assert_eq!(number(alone(records.get(&key)).unwrap().as_deref()), 3)
        });
    }

    #[test]
    fn what_a_batch_settles_is_settled_when_it_is_written() {
        explore(600, |tasks| {
            let records = Arc::new(MemoryStorage::new());
            let store = SteppedStorage::new(records.clone(), tasks);
            let key = Key::new("a").unwrap();
            let settled = Arc::new(std::sync::Mutex::new(Vec::new()));
            for (name, value) in [("first", 1), ("second", 2)] {
                let (store, key, records, settled) = (store.clone(), key.clone(), records.clone(), settled.clone());
                tasks.add_fickle(name, async move {
                    let mut batch = Batch::new();
                    batch.put(key.clone(), vec![value]);
                    batch.when_settled(move || {
                        let there = alone(records.get(&key)).unwrap().is_some();
                        settled.lock().unwrap().push((value, there));
                    });
                    turn().await;
                    store.commit(batch).await.unwrap();
                });
            }
            move || {
                let there = alone(records.get(&key)).unwrap();
                let settled = settled.lock().unwrap();
                assert!(settled.len() <= 2);
                if let Some(value) = there {
                    assert!(settled.contains(&(value[0], true)), "{value:?} is written, and settled are {settled:?}");
                }
            }
        });
    }
}
