//! `Counter`, which only grows, and `Gauge`, which goes up and down.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use super::interval::{self, Epoch, KEPT, Shown};

/// Counts what happened. Adding takes two atomic additions and one reading of the monotonic clock.
#[derive(Debug)]
pub struct Counter {
    epoch: Epoch,
    total: AtomicU64,
    intervals: [Slot; KEPT],
}

#[derive(Debug, Default)]
struct Slot {
    number: AtomicU64,
    count: AtomicU64,
}

/// A counter as it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Since the start.
    pub(super) total: u64,
    /// In the interval that is reported.
    pub(super) reported: u64,
}

impl Counter {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self { epoch, total: AtomicU64::new(0), intervals: Default::default() }
    }

    /// Counts one.
    pub fn add(&self) {
        self.total.fetch_add(1, Ordering::Relaxed);
        let number = self.epoch.number(Instant::now());
        let Some(slot) = self.intervals.get(interval::place(number)) else { return };
        if interval::take_over(&slot.number, number) {
            slot.count.store(0, Ordering::Relaxed);
        }
        slot.count.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were since the start.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self, shown: Shown) -> Count {
        let slot = self.intervals.get(interval::place(shown.reported));
        let slot = slot.filter(|slot| slot.number.load(Ordering::Acquire) == shown.reported);
        Count { total: self.total(), reported: slot.map_or(0, |slot| slot.count.load(Ordering::Relaxed)) }
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// One more.
    pub fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One less.
    pub fn down(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// The number as it is.
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn counts() {
        let epoch = Epoch::new(Timestamp::from_unix_seconds(0));
        let counter = Counter::new(epoch);
        assert_eq!(counter.count(epoch.report()), Count::default());
        counter.add();
        counter.add();
        assert_eq!(counter.count(epoch.report()), Count { total: 2, reported: 2 });
        // Two intervals on, what was counted is still in the total.
        let later = epoch.report_at(Instant::now() + interval::LENGTH * 2);
        assert_eq!(counter.count(later), Count { total: 2, reported: 0 });
        let next = epoch.report_at(Instant::now() + interval::LENGTH);
        assert_eq!(counter.count(next), Count { total: 2, reported: 2 });
    }

    #[test]
    fn gauges_go_up_and_down() {
        let gauge = Gauge::default();
        gauge.up();
        gauge.up();
        gauge.down();
        assert_eq!(gauge.value(), 1);
    }

    #[test]
    fn nothing_is_lost_among_threads() {
        let counter = Counter::new(Epoch::new(Timestamp::from_unix_seconds(0)));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| counter.add()));
            }
        });
        assert_eq!(counter.total(), 4000);
    }
}
