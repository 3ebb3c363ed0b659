//! `Log`: the lines of one device, in order. Lines of concurrent requests share one write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, oneshot};

use crate::chain::{ChainWriter, Link, Position, Reason, Recovered};
use crate::time::{Clock, Timestamp};

use super::sink::{Sink, SinkError};
use super::spool::{Dropped, Room};
use super::state::Gauges;

/// Whether a line is on record: the failure is shared by all lines of a write.
type Outcome = Result<(), Arc<SinkError>>;

/// A device's log.
#[derive(Debug)]
pub(super) struct Log {
    queue: Arc<Mutex<Queue>>,
    writer: Arc<AsyncMutex<Writer>>,
    /// How its sink stands, if its lines go to another machine.
    gauges: Option<Arc<Gauges>>,
    /// Whether the last write failed.
    failing: Arc<AtomicBool>,
}

/// Entries that wait to be written, one after the other in one buffer.
#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    end: usize,
    done: oneshot::Sender<Outcome>,
}

/// An entry's place in the queue.
#[derive(Debug)]
pub(super) struct Ticket<'a> {
    log: &'a Log,
    done: oneshot::Receiver<Outcome>,
}

#[derive(Debug)]
struct Writer {
    chain: ChainWriter,
    sink: Box<dyn Sink>,
    clock: Arc<dyn Clock>,
    /// Both are used again and again.
    batch: Queue,
    lines: Vec<u8>,
    open: bool,
    /// Whether the sink puts the log away itself.
    rotates: bool,
    /// Whether the last write failed, for those who do not wait for the writer.
    failing: Arc<AtomicBool>,
}

impl Log {
    /// Opens a log: finds out where its chain ends and begins a new stretch of it.
    pub(super) fn open(
        mut sink: Box<dyn Sink>,
        mut chain: ChainWriter,
        clock: Arc<dyn Clock>,
        recorded: Option<Link>,
    ) -> Result<Self, SinkError> {
        let found = sink.recover()?;
        let mut lines = Vec::new();
        let now = clock.now();
        chain.open(&found, recorded, now, &mut lines)?;
        let gauges = sink.gauges();
        let dropped = sink.dropped();
        tell_dropped(dropped, &mut chain, now, &mut lines);
        sink.append(&lines)?;
        if dropped.is_some() {
            sink.dropped_is_told();
        }
        let rotates = sink.rotates();
        let failing = Arc::new(AtomicBool::new(false));
        let shown = Arc::clone(&failing);
        let writer = Writer { chain, sink, clock, batch: Queue::default(), lines, open: true, rotates, failing };
        writer.keep_house();
        Ok(Self { queue: Arc::default(), writer: Arc::new(AsyncMutex::new(writer)), gauges, failing: shown })
    }

    /// How its sink stands, if its lines go to another machine.
    pub(super) fn gauges(&self) -> Option<&Arc<Gauges>> {
        self.gauges.as_ref()
    }

    /// Whether the last write failed. It waits for nothing.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::SeqCst)
    }

    /// Queues an entry, which is an object without its closing brace.
    pub(super) fn enqueue(&self, entry: &[u8]) -> Ticket<'_> {
        let (sender, done) = oneshot::channel();
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.bytes.extend_from_slice(entry);
        let end = queue.bytes.len();
        queue.waiting.push(Waiting { end, done: sender });
        Ticket { log: self, done }
    }

    /// Goes over to the file that is now under the log's name. The old one ends in a checkpoint.
    pub(super) async fn reopen(&self) -> Result<(), SinkError> {
        let writer = Arc::clone(&self.writer).lock_owned().await;
        blocking(writer, Writer::reopen).await
    }

    /// Closes the log with a checkpoint. What comes later is refused.
    pub(super) async fn close(&self) -> Result<(), SinkError> {
        let writer = Arc::clone(&self.writer).lock_owned().await;
        let queue = Arc::clone(&self.queue);
        blocking(writer, move |writer| writer.close(&queue)).await
    }

    /// The last line that is on record.
    pub(super) async fn last(&self) -> Link {
        self.writer.lock().await.chain.position().link()
    }
}

impl Ticket<'_> {
    /// Waits until the entry is on record. Whoever comes first writes for all who wait.
    pub(super) async fn wait(mut self) -> Outcome {
        let lock = Arc::clone(&self.log.writer).lock_owned();
        let mut writer = tokio::select! {
            biased;
            outcome = &mut self.done => return outcome.unwrap_or_else(|_| Err(Arc::new(SinkError::Lost))),
            writer = lock => writer,
        };
        if let Ok(outcome) = self.done.try_recv() {
            return outcome;
        }
        if writer.sink.waits() || writer.is_rotation_due(&self.log.queue) {
            let queue = Arc::clone(&self.log.queue);
            let work = move |writer: &mut Writer| {
                writer.write(&queue);
                Ok(())
            };
            if let Err(error) = blocking(writer, work).await {
                return Err(Arc::new(error));
            }
        } else {
            writer.write(&self.log.queue);
            drop(writer);
        }
        self.done.await.unwrap_or_else(|_| Err(Arc::new(SinkError::Lost)))
    }
}

/// Runs `work` on a thread that may wait. It is carried through even if the caller hangs up.
async fn blocking(
    mut writer: OwnedMutexGuard<Writer>,
    work: impl FnOnce(&mut Writer) -> Result<(), SinkError> + Send + 'static,
) -> Result<(), SinkError> {
    tokio::task::spawn_blocking(move || work(&mut writer)).await.unwrap_or(Err(SinkError::Lost))
}

impl Writer {
    /// Writes all that is queued, with one append, and tells those who wait.
    fn write(&mut self, queue: &Mutex<Queue>) {
        {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *queue, &mut self.batch);
        }
        if self.batch.waiting.is_empty() {
            return;
        }
        let due = || self.sink.is_rotation_due(self.clock.now(), self.batch.bytes.len() as u64);
        if self.open && self.rotates && due() {
            self.rotate();
        }
        let outcome = if self.open { self.append_batch() } else { Err(SinkError::Closed) };
        self.failing.store(outcome.is_err(), Ordering::SeqCst);
        let outcome = outcome.map_err(Arc::new);
        self.batch.bytes.clear();
        if self.batch.bytes.capacity() > KEPT_CAPACITY {
            self.batch.bytes = Vec::new();
            self.lines = Vec::new();
        }
        for waiting in self.batch.waiting.drain(..) {
            // Who no longer waits has hung up; the line is on record all the same.
            let _ = waiting.done.send(outcome.clone());
        }
    }

    fn append_batch(&mut self) -> Result<(), SinkError> {
        let before = self.chain.position();
        let now = self.clock.now();
        self.lines.clear();
        let dropped = self.sink.dropped();
        tell_dropped(dropped, &mut self.chain, now, &mut self.lines);
        let mut start = 0;
        for waiting in &self.batch.waiting {
            let entry = self.batch.bytes.get(start..waiting.end).unwrap_or_default();
            self.chain.entry(entry, now, &mut self.lines);
            start = waiting.end;
        }
        match self.sink.room(self.lines.len()) {
            Room::Free => self.append_lines(before, dropped),
            Room::Refused => {
                self.chain.rewind(before);
                Err(SinkError::Full)
            }
            Room::Dropped => {
                self.chain.rewind(before);
                self.sink.drop_entries(self.batch.waiting.len() as u64, before.link(), now)
            }
        }
    }

    fn checkpoint(&mut self, reason: Reason) -> Result<(), SinkError> {
        let before = self.chain.position();
        let now = self.clock.now();
        self.lines.clear();
        let dropped = self.sink.dropped();
        tell_dropped(dropped, &mut self.chain, now, &mut self.lines);
        self.chain.checkpoint(reason, now, &mut self.lines);
        self.append_lines(before, dropped)
    }

    /// Appends the lines that are ready, the first of which may tell of dropped entries.
    fn append_lines(&mut self, before: Position, dropped: Option<Dropped>) -> Result<(), SinkError> {
        self.sink.append(&self.lines).inspect_err(|_| self.chain.rewind(before))?;
        if dropped.is_some() {
            self.sink.dropped_is_told();
        }
        Ok(())
    }

    fn reopen(&mut self) -> Result<(), SinkError> {
        if !self.open {
            return Err(SinkError::Closed);
        }
        // A full disk is no reason to stay with the old file: the chain tells what is missing.
        let ended = self.checkpoint(Reason::Rotate);
        self.sink.reopen()?;
        self.begin()?;
        ended
    }

    fn is_rotation_due(&self, queue: &Mutex<Queue>) -> bool {
        if !self.open || !self.rotates {
            return false;
        }
        let queued = queue.lock().unwrap_or_else(PoisonError::into_inner).bytes.len() as u64;
        self.sink.is_rotation_due(self.clock.now(), queued)
    }

    /// Puts the file away and goes on in a new one. Requests do not fail for it: if it cannot be done now, the log goes on
    /// in the old file.
    fn rotate(&mut self) {
        let now = self.clock.now();
        let rotated = self.checkpoint(Reason::Rotate).and_then(|()| {
            let rotated = self.sink.rotate(now);
            self.begin().and(rotated)
        });
        match rotated {
            Ok(()) => self.keep_house(),
            Err(error) => {
                let source = &error as &dyn std::error::Error;
                tracing::error!(error = source, "an audit log could not be put away, and grows on; check its folder");
            }
        }
    }

    /// Begins a stretch of the chain in the file that is now open.
    fn begin(&mut self) -> Result<(), SinkError> {
        let found = self.sink.recover()?;
        let last = self.chain.position().link();
        let closed = found.torn.is_none();
        self.lines.clear();
        let before = self.chain.position();
        self.chain.open(&Recovered { last, closed, ..found }, None, self.clock.now(), &mut self.lines)?;
        self.sink.append(&self.lines).inspect_err(|_| self.chain.rewind(before))
    }

    /// Has the files that were put away compressed and deleted, on a thread that may wait.
    fn keep_house(&self) {
        let Some(work) = self.sink.housekeeping() else { return };
        match tokio::runtime::Handle::try_current() {
            // Nobody waits for it: what is not done is done when the log is opened the next time.
            Ok(runtime) => drop(runtime.spawn_blocking(work)),
            Err(_) => work(),
        }
    }

    fn close(&mut self, queue: &Mutex<Queue>) -> Result<(), SinkError> {
        self.write(queue);
        if !std::mem::take(&mut self.open) {
            return Ok(());
        }
        let ended = self.checkpoint(Reason::Stop);
        self.sink.close();
        ended
    }
}

/// Says on a line of its own how many entries are not in the log. It comes before anything else that is written.
fn tell_dropped(dropped: Option<Dropped>, chain: &mut ChainWriter, now: Timestamp, lines: &mut Vec<u8>) {
    if let Some(Dropped { entries, since, after: _ }) = dropped {
        chain.dropped(entries, since, now, lines);
    }
}

/// Buffers that a large body made larger are not kept.
const KEPT_CAPACITY: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests;
