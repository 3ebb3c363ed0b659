//! How long to wait before the next attempt.

use std::sync::Arc;
use std::time::Duration;

use crate::entropy::Entropy;

/// Waits twice as long after each failure, up to a bound, and never the same time as others do.
#[derive(Debug)]
pub(super) struct Backoff {
    failures: u32,
    entropy: Arc<dyn Entropy>,
}

impl Backoff {
    /// The longest wait that it comes up with.
    pub(super) const LONGEST: Duration = Duration::from_secs(30);
    const SHORTEST: Duration = Duration::from_millis(200);

    pub(super) fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { failures: 0, entropy }
    }

    /// The wait after another failure: between half of what it may be and all of it.
    pub(super) fn after_failure(&mut self) -> Duration {
        let bound = Self::SHORTEST.saturating_mul(1 << self.failures.min(16)).min(Self::LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Without randomness the wait is the longest.
        let share = self.entropy.bytes::<2>().map_or(u16::MAX, u16::from_be_bytes);
        bound / 2 + bound.mul_f64(f64::from(share) / f64::from(u16::MAX) / 2.0)
    }

    /// Something worked.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn waits_grow_up_to_the_bound_and_begin_anew() {
        let mut backoff = Backoff::new(Arc::new(SeededEntropy::new(1)));
        let waits: Vec<Duration> = (0..100).map(|_| backoff.after_failure()).collect();
        let mut bound = Backoff::SHORTEST;
        for wait in &waits {
            assert!((bound / 2..=bound).contains(wait), "{wait:?} {bound:?}");
            bound = (bound * 2).min(Backoff::LONGEST);
        }
        let distinct: std::collections::BTreeSet<_> = waits.iter().collect();
        assert!(distinct.len() > 90);
        backoff.reset();
        assert!(backoff.after_failure() <= Backoff::SHORTEST);
    }
}
