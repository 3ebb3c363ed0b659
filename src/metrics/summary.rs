//! `Summary`: how long something takes, as quantiles of the last seconds, and as figures of whole intervals.
//!
//! Durations are sorted into buckets of which eight make a doubling, from a microsecond to two minutes: a quantile is
//! off by a sixteenth at most. The count and the sum since the start are exact.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::interval::{self, Epoch, KEPT, Shown};

/// Buckets in a doubling, as a power of two.
const FINENESS: u32 = 3;
/// The shortest duration that is told from shorter ones: 2^10 nanoseconds.
const SHORTEST: u32 = 10;
/// The longest that is told from longer ones: 2^37 nanoseconds.
const LONGEST: u32 = 37;
const BUCKETS: usize = ((LONGEST - SHORTEST) << FINENESS) as usize;

/// How long something takes. Recording takes five atomic operations; whoever records has read the clock already.
#[derive(Debug)]
pub struct Summary {
    epoch: Epoch,
    count: AtomicU64,
    nanos: AtomicU64,
    intervals: [Slot; KEPT],
}

#[derive(Debug)]
struct Slot {
    number: AtomicU64,
    nanos: AtomicU64,
    shortest: AtomicU64,
    longest: AtomicU64,
    buckets: [AtomicU32; BUCKETS],
}

/// A summary as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// How often, since the start.
    pub(super) count: u64,
    /// For how long together, since the start, in nanoseconds.
    pub(super) nanos: u64,
    /// What was recorded in the last ten to twenty seconds, by bucket.
    recent: Vec<u64>,
    /// The interval that is reported; nothing if nothing was recorded in it.
    pub(super) reported: Option<Figures>,
}

/// What one interval comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Figures {
    nanos: u64,
    shortest: u64,
    longest: u64,
    buckets: Vec<u64>,
}

impl Summary {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            count: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
            intervals: std::array::from_fn(|_| Slot::new()),
        }
    }

    /// Records what began at `start` and ends now. Gives the end.
    pub fn since(&self, start: Instant) -> Instant {
        let end = Instant::now();
        self.record(start, end, 1);
        end
    }

    /// Records `times` events that all began at `start` and ended at `end`.
    pub fn record(&self, start: Instant, end: Instant, times: u32) {
        if times == 0 {
            return;
        }
        let nanos = nanos(end.saturating_duration_since(start));
        let together = nanos.saturating_mul(u64::from(times));
        self.count.fetch_add(u64::from(times), Ordering::Relaxed);
        self.nanos.fetch_add(together, Ordering::Relaxed);
        let number = self.epoch.number(end);
        let Some(slot) = self.intervals.get(interval::place(number)) else { return };
        if interval::take_over(&slot.number, number) {
            slot.clear();
        }
        slot.record(nanos, together, times);
    }

    pub(super) fn snapshot(&self, shown: Shown) -> Snapshot {
        let of = |number| {
            let slot: Option<&Slot> = self.intervals.get(interval::place(number));
            slot.filter(|slot| slot.number.load(Ordering::Acquire) == number)
        };
        let mut recent = vec![0; BUCKETS];
        for number in [shown.current, shown.current.saturating_sub(1)] {
            if let Some(slot) = of(number) {
                add(&mut recent, &slot.counts());
            }
        }
        Snapshot {
            count: self.count.load(Ordering::Relaxed),
            nanos: self.nanos.load(Ordering::Relaxed),
            recent,
            reported: of(shown.reported).map(Slot::figures).filter(|figures| figures.count() > 0),
        }
    }
}

impl Slot {
    fn new() -> Self {
        Self {
            number: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
            shortest: AtomicU64::new(u64::MAX),
            longest: AtomicU64::new(0),
            buckets: std::array::from_fn(|_| AtomicU32::new(0)),
        }
    }

    fn clear(&self) {
        let Self { number: _, nanos, shortest, longest, buckets } = self;
        nanos.store(0, Ordering::Relaxed);
        shortest.store(u64::MAX, Ordering::Relaxed);
        longest.store(0, Ordering::Relaxed);
        for bucket in buckets {
            bucket.store(0, Ordering::Relaxed);
        }
    }

    fn record(&self, nanos: u64, together: u64, times: u32) {
        if let Some(bucket) = self.buckets.get(bucket_of(nanos)) {
            bucket.fetch_add(times, Ordering::Relaxed);
        }
        self.nanos.fetch_add(together, Ordering::Relaxed);
        // Most are neither: a look costs less than a write that all threads wait for.
        if nanos < self.shortest.load(Ordering::Relaxed) {
            self.shortest.fetch_min(nanos, Ordering::Relaxed);
        }
        if nanos > self.longest.load(Ordering::Relaxed) {
            self.longest.fetch_max(nanos, Ordering::Relaxed);
        }
    }

    fn counts(&self) -> Vec<u64> {
        self.buckets.iter().map(|bucket| u64::from(bucket.load(Ordering::Relaxed))).collect()
    }

    fn figures(&self) -> Figures {
        Figures {
            nanos: self.nanos.load(Ordering::Relaxed),
            shortest: self.shortest.load(Ordering::Relaxed),
            longest: self.longest.load(Ordering::Relaxed),
            buckets: self.counts(),
        }
    }
}

impl Snapshot {
    /// The duration that a share of the recent ones does not exceed, in milliseconds; nothing if there was none.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let count: u64 = self.recent.iter().sum();
        let wanted = (float(count) * share).ceil().max(1.0);
        let mut before = 0;
        for (bucket, many) in self.recent.iter().enumerate() {
            before += many;
            if count > 0 && float(before) >= wanted {
                return Some(middle_of(bucket) / 1e6);
            }
        }
        None
    }

    /// Adds what another one saw.
    pub(super) fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.nanos = self.nanos.saturating_add(other.nanos);
        add(&mut self.recent, &other.recent);
        match (&mut self.reported, &other.reported) {
            (Some(figures), Some(others)) => figures.merge(others),
            (reported @ None, Some(others)) => *reported = Some(others.clone()),
            (Some(_) | None, None) => {}
        }
    }
}

impl Figures {
    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All of them together, in milliseconds, as are those below.
    pub(super) fn sum(&self) -> f64 {
        float(self.nanos) / 1e6
    }

    pub(super) fn min(&self) -> f64 {
        float(self.shortest.min(self.longest)) / 1e6
    }

    pub(super) fn max(&self) -> f64 {
        float(self.longest) / 1e6
    }

    pub(super) fn mean(&self) -> f64 {
        self.sum() / float(self.count()).max(1.0)
    }

    /// The standard deviation, of the middles of the buckets.
    pub(super) fn deviation(&self) -> f64 {
        let (count, mean) = (float(self.count()), self.mean());
        if count < 2.0 {
            return 0.0;
        }
        let squares = |(bucket, many): (usize, &u64)| float(*many) * (middle_of(bucket) / 1e6 - mean).powi(2);
        (self.buckets.iter().enumerate().map(squares).sum::<f64>() / (count - 1.0)).sqrt()
    }

    fn merge(&mut self, other: &Self) {
        let Self { nanos, shortest, longest, buckets } = other;
        self.nanos = self.nanos.saturating_add(*nanos);
        self.shortest = self.shortest.min(*shortest);
        self.longest = self.longest.max(*longest);
        add(&mut self.buckets, buckets);
    }
}

fn add(to: &mut [u64], counts: &[u64]) {
    to.iter_mut().zip(counts).for_each(|(to, count)| *to += count);
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people: 53 bits of it are enough")]
pub(super) fn float(number: u64) -> f64 {
    number as f64
}

/// The bucket of a duration: its power of two, and the bits behind the first.
fn bucket_of(nanos: u64) -> usize {
    let bounded = nanos.clamp(1 << SHORTEST, (1 << LONGEST) - 1);
    let power = bounded.ilog2();
    let within = (bounded >> (power - FINENESS)) & ((1 << FINENESS) - 1);
    usize::try_from((u64::from(power - SHORTEST) << FINENESS) + within).unwrap_or_default()
}

/// The middle of a bucket in nanoseconds.
fn middle_of(bucket: usize) -> f64 {
    let (power, within) = (bucket >> FINENESS, bucket & ((1 << FINENESS) - 1));
    let power = SHORTEST + u32::try_from(power).unwrap_or_default();
    let step = 1_u64 << (power - FINENESS);
    let low = (1_u64 << power) + step * u64::try_from(within).unwrap_or_default();
    float(low) + float(step) / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Timestamp;

    fn summary(millis: &[u64]) -> (Summary, Snapshot) {
        let epoch = Epoch::new(Timestamp::from_unix_seconds(0));
        let summary = Summary::new(epoch);
        let start = Instant::now();
        for millis in millis {
            // All end in the first interval, whatever they are said to have taken.
            summary.record(start.checked_sub(Duration::from_millis(*millis)).unwrap(), start, 1);
        }
        let snapshot = summary.snapshot(epoch.report_at(start));
        (summary, snapshot)
    }

    #[test]
    fn quantiles_and_figures() {
        let (_, snapshot) = summary(&(1..=100).collect::<Vec<_>>());
        for (share, exact) in [(0.5, 50.0), (0.9, 90.0), (0.99, 99.0)] {
            let quantile = snapshot.quantile(share).unwrap();
            assert!((quantile / exact - 1.0).abs() < 0.07, "{share}: {quantile}");
        }
        assert_eq!((snapshot.count, snapshot.nanos), (100, 5_050_000_000));
        let figures = snapshot.reported.unwrap();
        assert_eq!(figures.count(), 100);
        let close = |a: f64, b: f64| (a / b - 1.0).abs() < 0.03;
        assert!(close(figures.sum(), 5050.0) && close(figures.min(), 1.0) && close(figures.max(), 100.0));
        assert!(close(figures.mean(), 50.5) && close(figures.deviation(), 29.01), "{}", figures.deviation());
    }

    #[test]
    fn nothing_recorded_is_no_quantile() {
        let (_, snapshot) = summary(&[]);
        assert_eq!(snapshot.quantile(0.5), None);
        assert_eq!(snapshot.reported, None);
    }

    #[test]
    fn what_is_long_ago_is_in_the_count_alone() {
        let (summary, _) = summary(&[5]);
        let later = summary.snapshot(summary.epoch.report_at(Instant::now() + interval::LENGTH * 2));
        assert_eq!((later.count, later.quantile(0.5), later.reported), (1, None, None));
        let start = Instant::now() + interval::LENGTH * 3;
        summary.record(start, start + Duration::from_millis(1), 2);
        let again = summary.snapshot(summary.epoch.report_at(start));
        assert_eq!((again.count, again.recent.iter().sum::<u64>()), (3, 2));
    }

    #[test]
    fn merging_adds() {
        let ((_, mut one), (_, two)) = (summary(&[1, 1]), summary(&[1000]));
        one.merge(&two);
        assert_eq!(one.count, 3);
        let figures = one.reported.as_ref().unwrap();
        assert_eq!(figures.count(), 3);
        assert!(figures.max() >= 1000.0 && figures.min() < 1.1);
        assert!(one.quantile(0.99).unwrap() > 900.0);
    }

    proptest! {
        #[test]
        fn every_duration_has_a_bucket_near_it(nanos: u64) {
            let bucket = bucket_of(nanos);
            prop_assert!(bucket < BUCKETS);
            let bounded = float(nanos.clamp(1 << SHORTEST, (1 << LONGEST) - 1));
            prop_assert!((middle_of(bucket) / bounded - 1.0).abs() <= 1.0 / 15.0, "{} {}", bounded, middle_of(bucket));
        }

        #[test]
        fn longer_is_not_lower(a: u64, b: u64) {
            prop_assert!(a <= b || bucket_of(a) >= bucket_of(b));
        }
    }
}
