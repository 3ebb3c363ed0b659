//! `Histogram`: how many were at most so large, for fixed bounds. It adds up over servers, which quantiles do not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::summary::{float, nanos};

/// The bounds of durations, in nanoseconds: from half a millisecond to ten seconds.
const DURATIONS: [u64; 12] = [
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    1_000_000_000,
    2_500_000_000,
    10_000_000_000,
];
/// The bounds of sizes.
const SIZES: [u64; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/// How many were at most so large. Recording takes two atomic additions.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// How much of what is shown one of what is recorded is.
    scale: f64,
    /// One for each bound, and one for what is beyond them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A histogram as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Buckets {
    /// Each bound with how many were not beyond it, those of lower bounds among them.
    pub(super) below: Vec<(f64, u64)>,
    pub(super) count: u64,
    pub(super) sum: f64,
}

impl Histogram {
    /// Of durations, shown in seconds.
    pub(super) fn of_durations() -> Self {
        Self::new(&DURATIONS, 1e-9)
    }

    /// Of numbers.
    pub(super) fn of_sizes() -> Self {
        Self::new(&SIZES, 1.0)
    }

    fn new(bounds: &'static [u64], scale: f64) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, scale, counts, sum: AtomicU64::new(0) }
    }

    /// Records what began at `start` and ended at `end`.
    pub fn record(&self, start: Instant, end: Instant) {
        self.count(nanos(end.saturating_duration_since(start)));
    }

    /// Records a number.
    pub fn count(&self, number: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < number);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn buckets(&self) -> Buckets {
        let mut count = 0;
        let mut below = Vec::with_capacity(self.bounds.len());
        for (index, bucket) in self.counts.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            if let Some(bound) = self.bounds.get(index) {
                below.push((float(*bound) * self.scale, count));
            }
        }
        Buckets { below, count, sum: float(self.sum.load(Ordering::Relaxed)) * self.scale }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_within_its_bucket() {
        let histogram = Histogram::of_sizes();
        for number in [0, 1, 2, 3, 256, 257, 1000] {
            histogram.count(number);
        }
        let Buckets { below, count, sum } = histogram.buckets();
        assert_eq!(count, 7);
        assert!((sum - 1519.0).abs() < f64::EPSILON);
        let at = |bound: f64| below.iter().find(|(known, _)| (known - bound).abs() < 1e-9).unwrap().1;
        assert_eq!((at(1.0), at(2.0), at(4.0), at(128.0), at(256.0)), (2, 3, 4, 4, 5));
        assert!(below.windows(2).all(|pair| pair[0].1 <= pair[1].1 && pair[0].0 < pair[1].0));
    }

    #[test]
    fn durations_are_shown_in_seconds() {
        let histogram = Histogram::of_durations();
        let start = Instant::now();
        histogram.record(start, start + std::time::Duration::from_millis(20));
        let buckets = histogram.buckets();
        assert!((buckets.sum - 0.02).abs() < 1e-9);
        let first = buckets.below.iter().find(|(_, count)| *count == 1).unwrap();
        assert!((first.0 - 0.025).abs() < 1e-9, "{first:?}");
    }
}
