//! Group commit: one thread writes for everybody, so that a sync of the disk is shared by all who wait for one.
//!
//! The thread takes what is in the queue, checks the expectations of each batch against the state that the batches
//! before it leave behind, writes those that hold as one durable transaction, and answers each caller. A caller that
//! goes away does not take its batch out of the queue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::ledger::{by_ledger, enter, is_same};
use super::{Batch, Key, StorageError};
use crate::metrics::Metrics;

/// The outcome of a group: what is at each key afterwards; `None` is nothing.
pub type Changes = BTreeMap<Key, Option<Vec<u8>>>;

/// Batches that may wait; a caller beyond them waits to be let into the queue.
const QUEUE: usize = 1024;
/// Batches in one transaction at most: it bounds how long the first of a group waits for the last.
const GROUP: usize = 256;
/// Bytes of values in one transaction, beyond which no further batch is added.
const GROUP_BYTES: usize = 16 << 20;

/// Where the writer writes.
pub(super) trait Target: Send + 'static {
    /// Comes before each group: an error is the answer to all of it, and nothing of it is looked at.
    fn prepare(&mut self) -> Result<(), StorageError>;

    /// The committed value at `key`.
    fn value(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StorageError>;

    /// Writes all of `changes`, or nothing; durable when it returns `Ok`.
    fn apply(&mut self, changes: &Changes) -> Result<(), StorageError>;
}

/// The writing thread and the queue to it. Dropping it finishes what is queued and waits for the thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

/// A batch in the queue, and who waits for its outcome.
#[derive(Debug)]
pub(super) struct Request {
    batch: Batch,
    reply: oneshot::Sender<Result<(), StorageError>>,
}

impl Request {
    /// Whether both are entered in the same ledger, or both in none.
    pub(super) fn shares_ledger(&self, other: &Self) -> bool {
        is_same(self.batch.ledger(), other.batch.ledger())
    }
}

impl Writer {
    /// Starts the thread `name`, which owns `target` until it ends, and counts what it writes.
    pub(super) fn start(name: &str, mut target: impl Target, metrics: Arc<Metrics>) -> Result<Self, StorageError> {
        let (queue, mut requests) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                while let Some(first) = requests.blocking_recv() {
                    write_all(&mut target, first, &mut requests, &metrics);
                }
            })
            .map_err(StorageError::from_io)?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Hands `batch` to the thread and waits for its outcome.
    pub(super) async fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        let (reply, outcome) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(StorageError::ReadOnly)?;
        // Both fail only if the thread is gone, which a panic in this module alone can do.
        queue.send(Request { batch, reply }).await.map_err(|_| StorageError::ReadOnly)?;
        outcome.await.map_err(|_| StorageError::ReadOnly)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // The thread contains the panics of the database; of one of its own nothing is left to be said here.
            let _ = thread.join();
        }
    }
}

/// Writes `first` and what waits behind it, a transaction for each stretch of one ledger.
fn write_all(target: &mut impl Target, first: Request, requests: &mut mpsc::Receiver<Request>, metrics: &Metrics) {
    for part in by_ledger(group(first, requests)) {
        write(target, part, metrics);
    }
}

/// `first` and what waits behind it.
fn group(first: Request, requests: &mut mpsc::Receiver<Request>) -> Vec<Request> {
    let mut bytes = first.batch.bytes();
    let mut group = vec![first];
    while group.len() < GROUP && bytes < GROUP_BYTES {
        let Ok(next) = requests.try_recv() else {
            break;
        };
        bytes = bytes.saturating_add(next.batch.bytes());
        group.push(next);
    }
    group
}

/// Writes one group, of one ledger, and answers all of its callers.
///
/// Nobody is answered before the transaction is durable, not even those with a conflict: it may be one with a batch of
/// the same group.
fn write(target: &mut impl Target, group: Vec<Request>, metrics: &Metrics) {
    let start = Instant::now();
    let prepared = target.prepare();
    let mut changes = Changes::new();
    let mut waiting = Vec::with_capacity(group.len());
    let ledger = group.first().and_then(|first| first.batch.ledger().cloned());
    for Request { batch, reply } in group {
        let outcome = if prepared.is_ok() { check(target, &changes, &batch) } else { Ok(()) };
        let (writes, settling) = batch.into_writes();
        if outcome.is_ok() {
            changes.extend(writes);
        }
        waiting.push((reply, outcome, settling));
    }
    let entered = prepared.and_then(|()| enter(ledger.as_deref(), &mut changes, &mut |key| target.value(key)));
    let written = entered.and_then(|()| if changes.is_empty() { Ok(()) } else { target.apply(&changes) });
    match &written {
        Ok(()) if changes.is_empty() => {}
        Ok(()) => {
            let shared = waiting.iter().filter(|(_, outcome, _)| outcome.is_ok()).count();
            metrics.storage.transacted(start, Instant::now(), u64::try_from(shared).unwrap_or(u64::MAX));
        }
        Err(_) => metrics.storage.failures.add(),
    }
    for (reply, outcome, settling) in waiting {
        drop(settling);
        let answer = match &written {
            Ok(()) => outcome,
            Err(error) => Err(error.repeated()),
        };
        // A caller that has gone away does not want to know.
        let _ = reply.send(answer);
    }
}

/// Whether what `batch` expects is there after `changes`.
fn check(target: &mut impl Target, changes: &Changes, batch: &Batch) -> Result<(), StorageError> {
    for (key, expected) in batch.expectations() {
        let holds = match changes.get(key) {
            Some(pending) => expected.holds(pending.as_deref()),
            None => expected.holds(target.value(key)?.as_deref()),
        };
        if !holds {
            return Err(StorageError::Conflict);
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod stepped;

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc as blocking};

    use super::*;
    use crate::storage::{Committed, Expected, Ledger, Write};

    /// Keeps every transaction; waits before each for leave to go on.
    struct Recorder {
        state: Changes,
        transactions: Arc<Mutex<Vec<Changes>>>,
        leave: blocking::Receiver<Result<(), StorageError>>,
    }

    impl Target for Recorder {
        fn prepare(&mut self) -> Result<(), StorageError> {
            Ok(())
        }

        fn value(&mut self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
            Ok(self.state.get(key).cloned().flatten())
        }

        fn apply(&mut self, changes: &Changes) -> Result<(), StorageError> {
            self.leave.recv().unwrap()?;
            self.state.extend(changes.clone());
            self.transactions.lock().unwrap().push(changes.clone());
            Ok(())
        }
    }

    type Leave = blocking::Sender<Result<(), StorageError>>;

    fn recorder() -> (Writer, Leave, Arc<Mutex<Vec<Changes>>>) {
        let (go, leave) = blocking::channel();
        let metrics = Metrics::new(crate::time::Timestamp::from_unix_seconds(0));
        let transactions = Arc::default();
        let target = Recorder { state: Changes::new(), transactions: Arc::clone(&transactions), leave };
        (Writer::start("writer", target, metrics).unwrap(), go, transactions)
    }

    fn put(key: &str, value: &[u8]) -> Batch {
        let mut batch = Batch::new();
        batch.put(Key::new(key).unwrap(), value.to_vec());
        batch
    }

    fn expecting(key: &str, value: &[u8], expected: Expected) -> Batch {
        let mut batch = put(key, value);
        batch.expect(Key::new(key).unwrap(), expected);
        batch
    }

    #[tokio::test]
    async fn what_waits_is_one_transaction_and_each_caller_has_its_own_answer() {
        let (writer, go, transactions) = recorder();
        let commit = |batch| writer.commit(batch);
        let first = commit(put("first", b"1"));
        let winner = commit(expecting("a", b"won", Expected::Absent));
        let loser = commit(expecting("a", b"lost", Expected::Absent));
        let next = commit(expecting("a", b"next", Expected::unchanged(Some(b"won"))));
        let release = async {
            go.send(Ok(())).unwrap();
            go.send(Ok(())).unwrap();
        };
        let (first, winner, loser, next, ()) = tokio::join!(biased; first, winner, loser, next, release);
        first.unwrap();
        winner.unwrap();
        assert!(matches!(loser, Err(StorageError::Conflict)));
        next.unwrap();
        drop(go);
        let transactions = transactions.lock().unwrap();
        assert!(transactions.len() <= 2, "{} transactions", transactions.len());
        let last = transactions.last().unwrap();
        assert_eq!(last.get(&Key::new("a").unwrap()), Some(&Some(b"next".to_vec())));
    }

    #[tokio::test]
    async fn a_failed_transaction_is_everybodys_failure() {
        let (writer, go, transactions) = recorder();
        let release = async {
            go.send(Err(StorageError::Full)).unwrap();
            go.send(Err(StorageError::Full)).unwrap();
        };
        let (first, second, third, ()) = tokio::join!(biased;
            writer.commit(put("first", b"1")),
            writer.commit(expecting("a", b"won", Expected::Absent)),
            writer.commit(expecting("a", b"lost", Expected::Absent)),
            release
        );
        assert!(matches!(first, Err(StorageError::Full)));
        assert!(matches!(second, Err(StorageError::Full)));
        assert!(matches!(third, Err(StorageError::Full)));
        assert!(transactions.lock().unwrap().is_empty());
    }

    /// Has the keys of each transaction written along with it, or nothing at all.
    #[derive(Debug)]
    struct Noting {
        fails: bool,
    }

    impl Ledger for Noting {
        fn entry(&self, changes: &Changes, committed: &mut Committed<'_>) -> Result<Option<Write>, StorageError> {
            if self.fails {
                return Err(StorageError::failed("it cannot be written"));
            }
            let place = Key::new("notes")?;
            let mut note = committed(&place)?.unwrap_or_default();
            note.extend(changes.keys().flat_map(|key| key.as_str().bytes()));
            Ok(Some((place, Some(note))))
        }
    }

    #[tokio::test]
    async fn a_ledger_hears_of_the_batches_that_are_entered_in_it_and_of_no_others() {
        let (writer, go, transactions) = recorder();
        let ledgers: [Arc<dyn Ledger>; 2] = [Arc::new(Noting { fails: false }), Arc::new(Noting { fails: true })];
        let entered = |key: &str, ledger: usize| {
            let mut batch = put(key, b"1");
            batch.enter_in(ledgers[ledger].clone());
            batch
        };
        let release = async {
            for _ in 0..8 {
                go.send(Ok(())).unwrap();
            }
        };
        let refused = {
            let mut batch = expecting("r", b"1", Expected::unchanged(Some(b"other")));
            batch.enter_in(ledgers[0].clone());
            batch
        };
        let (first, second, conflicting, plain, third, failed, fourth, ()) = tokio::join!(biased;
            writer.commit(entered("a", 0)),
            writer.commit(entered("b", 0)),
            writer.commit(refused),
            writer.commit(put("x", b"1")),
            writer.commit(entered("c", 0)),
            writer.commit(entered("y", 1)),
            writer.commit(entered("d", 0)),
            release
        );
        for outcome in [first, second, plain, third, fourth] {
            outcome.unwrap();
        }
        assert!(matches!(conflicting, Err(StorageError::Conflict)));
        assert!(matches!(failed, Err(StorageError::Failed(_))));
        drop(writer);
        let mut state = Changes::new();
        state.extend(transactions.lock().unwrap().iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
        assert_eq!(state[&Key::new("notes").unwrap()].as_deref(), Some(b"abcd".as_slice()));
        assert_eq!(state.keys().map(Key::as_str).collect::<Vec<_>>(), ["a", "b", "c", "d", "notes", "x"]);
    }

    #[tokio::test]
    async fn dropping_the_writer_finishes_what_is_queued() {
        let (writer, go, transactions) = recorder();
        for _ in 0..3 {
            go.send(Ok(())).unwrap();
        }
        let mut outcomes = Vec::new();
        for key in ["a", "b", "c"] {
            let (reply, outcome) = oneshot::channel();
            writer.queue.as_ref().unwrap().try_send(Request { batch: put(key, b"1"), reply }).unwrap();
            outcomes.push(outcome);
        }
        drop(writer);
        for outcome in outcomes {
            outcome.await.unwrap().unwrap();
        }
        assert_eq!(transactions.lock().unwrap().iter().map(Changes::len).sum::<usize>(), 3);
    }
}
