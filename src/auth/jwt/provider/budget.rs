//! `Budget`: how often a provider may be asked.

use std::time::Duration;

use crate::time::Timestamp;

/// Five requests at once, and one more every twelve seconds. Tokens that name keys which nobody has are free to make, and
/// must not become requests to the provider one for one.
#[derive(Debug)]
pub(super) struct Budget {
    left: u32,
    since: Timestamp,
}

impl Budget {
    const MOST: u32 = 5;
    const EVERY: Duration = Duration::from_secs(12);

    /// A full one.
    pub(super) fn new() -> Self {
        Self { left: Self::MOST, since: Timestamp::from_unix_seconds(0) }
    }

    /// Takes one request, if one is left.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        let earned = now.since(self.since).as_secs() / Self::EVERY.as_secs();
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        if earned > 0 {
            self.left = self.left.saturating_add(earned).min(Self::MOST);
            // What is over is kept for the next one.
            let rest = now.since(self.since.plus(Self::EVERY.saturating_mul(earned)));
            self.since = if rest < Self::EVERY { self.since.plus(Self::EVERY.saturating_mul(earned)) } else { now };
        }
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_at_once_and_then_one_at_a_time() {
        let mut budget = Budget::new();
        let start = Timestamp::from_unix_seconds(1_800_000_000);
        let mut taken = |after: u64, tries: usize| {
            let now = start.plus(Duration::from_secs(after));
            (0..tries).filter(|_| budget.take(now)).count()
        };
        assert_eq!(taken(0, 100), 5);
        assert_eq!(taken(11, 100), 0);
        assert_eq!(taken(12, 100), 1);
        assert_eq!(taken(36, 100), 2);
        assert_eq!(taken(3600, 100), 5);
        let in_a_minute: usize = (3601..3661).map(|second| taken(second, 10)).sum();
        assert_eq!(in_a_minute, 5);
    }
}
