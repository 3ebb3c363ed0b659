//! Intervals of ten seconds, which the JSON form and the quantiles are about.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::time::Timestamp;

/// How long an interval is.
pub(super) const LENGTH: Duration = Duration::from_secs(10);

/// How many are kept of each figure: the one that is counted in, the complete one before it, and one between the two and
/// that which is counted in next, so that nobody reads what is being cleared.
pub(super) const KEPT: usize = 3;

/// When counting began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epoch {
    began: Instant,
    /// The same as a time of day.
    wall: Timestamp,
    /// How far the first interval had gone by then: intervals begin at whole tens of seconds.
    ahead: Duration,
}

/// Which interval is shown, and when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The interval that goes on; `number - 1` is complete, if it is not 0.
    pub(super) current: u64,
    /// The one that the JSON form shows: the last complete one, or the first.
    pub(super) reported: u64,
    /// When that began.
    pub(super) start: Timestamp,
}

impl Epoch {
    pub(super) fn new(now: Timestamp) -> Self {
        let length = i64::try_from(LENGTH.as_nanos()).unwrap_or(i64::MAX);
        let ahead = u64::try_from(now.unix_nanos().rem_euclid(length)).unwrap_or_default();
        Self { began: Instant::now(), wall: now, ahead: Duration::from_nanos(ahead) }
    }

    /// The number of the interval that `now` is in, from 1.
    pub(super) fn number(&self, now: Instant) -> u64 {
        let gone = now.saturating_duration_since(self.began).saturating_add(self.ahead);
        1 + gone.as_secs() / LENGTH.as_secs()
    }

    /// What is to be shown now.
    pub(super) fn report(&self) -> Shown {
        self.report_at(Instant::now())
    }

    pub(super) fn report_at(&self, now: Instant) -> Shown {
        let current = self.number(now);
        let reported = current.saturating_sub(1).max(1);
        let gone = LENGTH.saturating_mul(u32::try_from(reported - 1).unwrap_or(u32::MAX));
        let first = self.wall.unix_nanos() - i64::try_from(self.ahead.as_nanos()).unwrap_or_default();
        Shown { current, reported, start: Timestamp::from_unix_nanos(first).plus(gone) }
    }
}

/// The place of interval `number` among those that are kept.
pub(super) fn place(number: u64) -> usize {
    usize::try_from(number % KEPT as u64).unwrap_or_default()
}

/// Says that `owner` is counted in for interval `number` from now on, and whether the caller is the one to clear it. What
/// others count while it is cleared may be missing from this interval; what is counted since the start is not.
pub(super) fn take_over(owner: &AtomicU64, number: u64) -> bool {
    let before = owner.load(Ordering::Relaxed);
    before < number && owner.compare_exchange(before, number, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Meeting;

    #[test]
    fn intervals_begin_at_whole_tens_of_seconds() {
        let epoch = Epoch::new(Timestamp::from_unix_nanos(1_000_000_007_500_000_000));
        let at = |millis| epoch.began + Duration::from_millis(millis);
        assert_eq!(epoch.number(at(0)), 1);
        assert_eq!(epoch.number(at(2_499)), 1);
        assert_eq!(epoch.number(at(2_500)), 2);
        assert_eq!(epoch.number(at(12_500)), 3);
        let start = Timestamp::from_unix_seconds(1_000_000_000);
        assert_eq!(epoch.report_at(at(0)), Shown { current: 1, reported: 1, start });
        assert_eq!(epoch.report_at(at(3_000)), Shown { current: 2, reported: 1, start });
        let second = Timestamp::from_unix_seconds(1_000_000_010);
        assert_eq!(epoch.report_at(at(13_000)), Shown { current: 3, reported: 2, start: second });
    }

    #[test]
    fn one_of_many_takes_an_interval_over() {
        let owner = AtomicU64::new(0);
        assert!(take_over(&owner, 1));
        assert!(!take_over(&owner, 1));
        assert!(take_over(&owner, 4));
        assert!(!take_over(&owner, 1), "a late one does not turn back the clock");
    }

    #[test]
    fn of_two_threads_one_takes_each_interval_over() {
        const INTERVALS: u64 = 30_000;
        let (owner, meeting) = (AtomicU64::new(0), Meeting::default());
        let take_all = |me: usize| -> Vec<bool> {
            let intervals = (1..=INTERVALS).enumerate();
            let take = |(round, number)| {
                meeting.meet(me, round);
                take_over(&owner, number)
            };
            intervals.map(take).collect()
        };
        let (mine, theirs) = std::thread::scope(|scope| {
            let other = scope.spawn(|| take_all(1));
            (take_all(0), other.join().unwrap())
        });
        let by_both = mine.iter().zip(&theirs).filter(|(mine, theirs)| **mine && **theirs).count();
        assert_eq!(by_both, 0, "intervals were cleared twice");
        assert!(mine.iter().zip(&theirs).all(|(mine, theirs)| *mine || *theirs), "an interval was not cleared");
    }
}
