//! `SinkState`: how the devices stand whose lines go to another machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use crate::api::AuditHealth;
use crate::time::Timestamp;

use super::broker::AuditBroker;
use super::device::Device;
use super::spool::Place;

/// How a device stands whose lines go to another machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinkState {
    /// Bytes in the spool of which it is not known that the other side has them.
    pub spool_bytes: u64,
    /// Lines in the spool of which it is not known that the other side has them.
    pub spool_lines: u64,
    /// Entries that a full spool did not take since the device was opened.
    pub dropped: u64,
    /// Lines that the other side will never take, kept in the spool's `refused.log`, since the device was opened.
    pub refused: u64,
    /// Whether the last attempt to send something succeeded.
    pub connected: bool,
    /// When an attempt last failed.
    pub last_error: Option<Timestamp>,
    /// When an attempt last succeeded.
    pub last_delivery: Option<Timestamp>,
}

impl SinkState {
    /// Whether the last attempt to send something failed; there need not have been one.
    pub fn is_failing(&self) -> bool {
        !self.connected && self.last_error.is_some()
    }
}

/// What a [`SinkState`] is read off. Writing and reading never wait.
#[derive(Debug, Default)]
pub struct Gauges {
    end_bytes: AtomicU64,
    end_lines: AtomicU64,
    sent_bytes: AtomicU64,
    sent_lines: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    connected: AtomicBool,
    /// In nanoseconds; 0 is never.
    last_error: AtomicI64,
    last_delivery: AtomicI64,
}

impl Gauges {
    /// How things stand.
    pub fn read(&self) -> SinkState {
        let (sent_bytes, sent_lines) = (load(&self.sent_bytes), load(&self.sent_lines));
        let moment = |nanos: &AtomicI64| match nanos.load(Ordering::SeqCst) {
            0 => None,
            nanos => Some(Timestamp::from_unix_nanos(nanos)),
        };
        SinkState {
            spool_bytes: load(&self.end_bytes).saturating_sub(sent_bytes),
            spool_lines: load(&self.end_lines).saturating_sub(sent_lines),
            dropped: load(&self.dropped),
            refused: load(&self.refused),
            connected: self.connected.load(Ordering::SeqCst),
            last_error: moment(&self.last_error),
            last_delivery: moment(&self.last_delivery),
        }
    }

    pub(super) fn spooled(&self, end: Place) {
        self.end_bytes.store(end.offset, Ordering::SeqCst);
        self.end_lines.store(end.lines, Ordering::SeqCst);
    }

    pub(super) fn delivered(&self, place: Place) {
        self.sent_bytes.store(place.offset, Ordering::SeqCst);
        self.sent_lines.store(place.lines, Ordering::SeqCst);
    }

    pub(super) fn dropped(&self, entries: u64) {
        self.dropped.fetch_add(entries, Ordering::SeqCst);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether the state is another one than before.
    pub(super) fn succeeded(&self, now: Timestamp) -> bool {
        self.last_delivery.store(now.unix_nanos(), Ordering::SeqCst);
        !self.connected.swap(true, Ordering::SeqCst)
    }

    pub(super) fn failed(&self, now: Timestamp) {
        self.last_error.store(now.unix_nanos(), Ordering::SeqCst);
        self.connected.store(false, Ordering::SeqCst);
    }
}

impl AuditBroker {
    /// How the devices stand whose lines go to another machine, by path. It waits for nothing.
    pub fn sink_states(&self) -> Vec<(String, SinkState)> {
        let devices = self.snapshot();
        let state = |gauges: &Arc<Gauges>| gauges.read();
        let states =
            devices.iter().filter_map(|device| Some((device.config.path.clone(), device.log.gauges().map(state)?)));
        states.collect()
    }

    /// How many devices there are, and how many of them fail. It waits for nothing.
    pub fn health(&self) -> AuditHealth {
        let devices = self.snapshot();
        let is_failing = |device: &&Arc<Device>| {
            device.log.is_failing() || device.log.gauges().is_some_and(|it| it.read().is_failing())
        };
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        AuditHealth { enabled: count(devices.len()), failing: count(devices.iter().filter(is_failing).count()) }
    }
}

fn load(number: &AtomicU64) -> u64 {
    number.load(Ordering::SeqCst)
}
