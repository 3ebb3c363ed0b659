//! The shipper of a device: reads its spool behind the requests, and brings the lines to another machine.
//!
//! Every line is delivered at least once. Where the protocol acknowledges, the cursor goes behind a batch when the other
//! side has said that it has it. Where it does not, the cursor follows [`SETTLED`] behind what was sent: a connection that
//! breaks in the meantime makes all of that be sent again.

mod backoff;
mod delivery;

pub(crate) use delivery::{Delivery, DeliveryError, Receipt, Refusal};

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chain::{Link, recover};
use crate::entropy::Entropy;
use crate::time::Clock;

use super::spool::{Batch, Cursor, Place, Spool};

use backoff::Backoff;

/// How long a connection without acknowledgements has to last after a line was sent for the line to count as delivered.
/// Longer than the operating system waits for the other side's ([`crate::outbound::Stream::UNACKNOWLEDGED`]).
pub(crate) const SETTLED: Duration = Duration::from_secs(30);

/// How long the end of a device waits for lines that are still to be sent. What is left stays in the spool.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// The longest that the other side may ask to be left alone for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(5);

/// The background work of one device. It ends when this goes.
#[derive(Debug)]
pub(super) struct Shipper {
    orders: Arc<Orders>,
    tasks: TaskTracker,
}

#[derive(Debug, Default)]
struct Orders {
    /// Send what is there, then end.
    finish: CancellationToken,
    /// End.
    stop: CancellationToken,
    /// Connect anew: certificates may have changed.
    reconnect: Notify,
}

/// What a shipper works with.
pub(super) struct Work {
    /// The device's path, for the log.
    pub(super) device: String,
    pub(super) spool: Arc<Spool>,
    pub(super) cursor: Cursor,
    pub(super) delivery: Box<dyn Delivery>,
    /// How long what was sent without an acknowledgement takes to count as delivered: [`SETTLED`].
    pub(super) settled: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl Shipper {
    /// Begins to ship. Has to be called within a runtime.
    pub(super) fn start(work: Work) -> Self {
        let orders = Arc::new(Orders::default());
        let tasks = TaskTracker::new();
        let (task, theirs) = (Task::new(work), orders.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = theirs.stop.cancelled() => {}
                () = task.run(&theirs) => {}
            }
        });
        Self { orders, tasks }
    }

    /// Connects anew, and tries at once if it is waiting after a failure.
    pub(super) fn reconnect(&self) {
        self.orders.reconnect.notify_one();
    }

    /// Ends it, after it has sent what is there if the other side takes it within [`LAST_WAIT`]. Blocks.
    pub(super) fn finish(&self) {
        self.orders.finish.cancel();
        self.tasks.close();
        if let Ok(runtime) = Handle::try_current() {
            runtime.block_on(async {
                let _ = timeout(LAST_WAIT, self.tasks.wait()).await;
                self.orders.stop.cancel();
                let _ = timeout(LAST_WAIT, self.tasks.wait()).await;
            });
        }
    }
}

impl Drop for Shipper {
    fn drop(&mut self) {
        self.orders.stop.cancel();
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("device", &self.device).finish_non_exhaustive()
    }
}

struct Task {
    work: Work,
    backoff: Backoff,
    /// Up to where lines were sent.
    sent: Place,
    /// What was sent and is not acknowledged, oldest first.
    in_flight: VecDeque<Flight>,
    /// What is to be sent next.
    pending: Option<Pending>,
}

/// What was sent within a second or so.
struct Flight {
    cursor: Cursor,
    begun: Instant,
    settles: Instant,
}

struct Pending {
    bytes: Vec<u8>,
    /// Behind the batch that this is, or was, a part of.
    cursor: Cursor,
}

impl Task {
    fn new(work: Work) -> Self {
        let (sent, backoff) = (work.cursor.place, Backoff::new(work.entropy.clone()));
        Self { work, backoff, sent, in_flight: VecDeque::new(), pending: None }
    }

    async fn run(mut self, orders: &Orders) {
        while self.step(orders).await.is_continue() {}
    }

    /// Sends a batch, or waits for one.
    async fn step(&mut self, orders: &Orders) -> ControlFlow<()> {
        let now = Instant::now();
        let mut settled = None;
        while self.in_flight.front().is_some_and(|flight| flight.settles <= now) {
            settled = self.in_flight.pop_front();
        }
        if let Some(flight) = settled {
            self.settle(flight.cursor).await;
        }
        if self.pending.is_none() {
            let (spool, from, max) = (self.work.spool.clone(), self.sent, self.work.delivery.batch_bytes());
            match read(spool, from, max).await {
                Ok(batch) => self.pending = batch,
                Err(error) => {
                    let error = DeliveryError::new("the spool of an audit device cannot be read").with_source(error);
                    return self.failed(&error.mistake(), orders).await;
                }
            }
        }
        let Some(pending) = &self.pending else { return self.idle(orders).await };
        match self.work.delivery.send(&pending.bytes).await {
            Ok(receipt) => match self.taken(receipt).await {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => self.failed(&error, orders).await,
            },
            Err(error) => self.failed(&error, orders).await,
        }
    }

    /// Waits until there is something to do.
    async fn idle(&mut self, orders: &Orders) -> ControlFlow<()> {
        if orders.finish.is_cancelled() {
            if self.work.delivery.close().await
                && let Some(last) = self.in_flight.pop_back()
            {
                self.settle(last.cursor).await;
            }
            return ControlFlow::Break(());
        }
        let settles = self.in_flight.front().map(|flight| flight.settles);
        let due = async {
            match settles {
                Some(moment) => sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = orders.finish.cancelled() => {}
            () = self.work.spool.appended.notified() => sleep(self.work.delivery.linger()).await,
            () = orders.reconnect.notified() => {
                self.work.delivery.close().await;
                self.rewind();
            }
            () = self.work.delivery.lost() => {
                tracing::info!(device = self.work.device, "the other side of an audit device closed the connection");
                self.rewind();
            }
            () = due => {}
        }
        ControlFlow::Continue(())
    }

    /// The other side has taken a batch, or a part of it.
    async fn taken(&mut self, receipt: Receipt) -> Result<(), DeliveryError> {
        for Refusal { line, reason } in receipt.refused {
            let seq = link(&line).map(|link| link.seq);
            let device = &self.work.device;
            tracing::error!(
                device,
                seq,
                reason,
                "the other side of an audit device refuses a line; it is kept in refused.log"
            );
            let spool = self.work.spool.clone();
            blocking(move || spool.refuse(&line)).await.map_err(|error| {
                DeliveryError::new("a line that is refused could not be kept").with_source(error).mistake()
            })?;
        }
        if !receipt.again.is_empty() {
            if let Some(pending) = &mut self.pending {
                pending.bytes = receipt.again;
            }
            return Err(DeliveryError::new("the other side took a part of the lines only"));
        }
        let Some(Pending { cursor, .. }) = self.pending.take() else { return Ok(()) };
        self.sent = cursor.place;
        self.backoff.reset();
        if self.work.spool.gauges().succeeded(self.work.clock.now()) {
            tracing::info!(device = self.work.device, "the other side of an audit device takes lines");
        }
        if self.work.delivery.is_acknowledged() {
            self.settle(cursor).await;
        } else {
            let now = Instant::now();
            let settles = now + self.work.settled;
            match self.in_flight.back_mut().filter(|flight| now - flight.begun < Duration::from_secs(1)) {
                Some(flight) => *flight = Flight { cursor, settles, ..*flight },
                None => self.in_flight.push_back(Flight { cursor, begun: now, settles }),
            }
        }
        Ok(())
    }

    /// Waits before the next attempt.
    async fn failed(&mut self, error: &DeliveryError, orders: &Orders) -> ControlFlow<()> {
        self.work.spool.gauges().failed(self.work.clock.now());
        let wait = match error.retry_after {
            Some(asked) => asked.min(LONGEST_RETRY_AFTER).max(self.backoff.after_failure()),
            None => self.backoff.after_failure(),
        };
        self.tell(error, wait);
        self.rewind();
        tokio::select! {
            () = orders.finish.cancelled() => return ControlFlow::Break(()),
            () = orders.reconnect.notified() => {}
            () = sleep(wait) => {}
        }
        ControlFlow::Continue(())
    }

    /// Goes back to what the other side is known to have.
    fn rewind(&mut self) {
        if !self.work.delivery.is_acknowledged() {
            self.in_flight.clear();
            self.pending = None;
            self.sent = self.work.cursor.place;
        }
    }

    fn tell(&self, error: &DeliveryError, wait: Duration) {
        let (device, cause) = (&self.work.device, std::error::Error::source(error));
        if error.is_mistake {
            tracing::error!(device, %error, cause, ?wait, "audit lines are not delivered; they stay in the spool");
        } else {
            tracing::warn!(device, %error, cause, ?wait, "audit lines are not delivered; they stay in the spool");
        }
    }

    /// The other side has everything up to `cursor`.
    async fn settle(&mut self, cursor: Cursor) {
        self.work.cursor = cursor;
        let spool = self.work.spool.clone();
        if let Err(error) = blocking(move || spool.settle(&cursor)).await {
            let device = &self.work.device;
            tracing::warn!(device, %error, "how far the lines were delivered cannot be put on disk; a restart sends some again");
        }
    }
}

async fn read(spool: Arc<Spool>, from: Place, max_bytes: usize) -> io::Result<Option<Pending>> {
    let batch = blocking(move || spool.read(from, max_bytes)).await?;
    Ok(batch.map(|Batch { bytes, end }| {
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let last = line.rsplit(|byte| *byte == b'\n').next().and_then(link);
        Pending { cursor: Cursor { place: end, last }, bytes }
    }))
}

/// The place of a line in the chain.
fn link(line: &[u8]) -> Option<Link> {
    let found = recover(&mut io::Cursor::new(line)).ok()?;
    (found.last != Link::GENESIS).then_some(found.last)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()))
}

#[cfg(test)]
mod tests;
