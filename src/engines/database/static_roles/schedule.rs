//! When a password is rotated: after a length of time, or at moments that a cron expression names.

use serde::{Deserialize, Serialize};

use super::cron::Cron;
use crate::api::Ttl;
use crate::time::Timestamp;

/// When a password is rotated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Schedule {
    /// So long after the last time.
    Period(Ttl),
    /// At the moments of a cron expression.
    Cron {
        /// The expression.
        expression: String,
        /// How long after such a moment it may still be done; 0 is any time.
        window: Ttl,
    },
}

/// The shortest period.
const SHORTEST_PERIOD: Ttl = Ttl::from_seconds(5);
/// The shortest window.
const SHORTEST_WINDOW: Ttl = Ttl::from_seconds(3600);

impl Schedule {
    /// A rotation after each `period`; the error is a sentence for the caller.
    pub(super) fn every(period: Ttl) -> Result<Self, &'static str> {
        if period < SHORTEST_PERIOD {
            return Err("rotation_period must be 5 seconds or more");
        }
        Ok(Self::Period(period))
    }

    /// Rotations by a cron expression; the error is a sentence for the caller.
    pub(super) fn by_cron(expression: &str, window: Ttl) -> Result<Self, &'static str> {
        Cron::parse(expression)?;
        if !window.is_zero() && window < SHORTEST_WINDOW {
            return Err("rotation_window must be 1 hour or more");
        }
        Ok(Self::Cron { expression: expression.to_owned(), window })
    }

    /// The first moment for a rotation after `moment`.
    pub(super) fn after(&self, moment: Timestamp) -> Timestamp {
        match self {
            Self::Period(period) => moment.plus(period.duration()),
            // Parsed when it was written, and it fitted moments without end.
            Self::Cron { expression, .. } => Cron::parse(expression)
                .ok()
                .and_then(|cron| cron.after(moment))
                .unwrap_or_else(|| moment.plus(Ttl::from_seconds(86_400).duration())),
        }
    }

    /// Whether a rotation that was planned for `planned` is to be done at `now`.
    pub(super) fn is_open(&self, planned: Timestamp, now: Timestamp) -> bool {
        match self {
            Self::Period(_) => now >= planned,
            Self::Cron { window, .. } => now >= planned && (window.is_zero() || now < planned.plus(window.duration())),
        }
    }

    /// Whether a rotation that was planned for `planned` can no longer be done at `now`.
    pub(super) fn is_missed(&self, planned: Timestamp, now: Timestamp) -> bool {
        now >= planned && !self.is_open(planned, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_open_and_close() {
        let at = Timestamp::from_unix_seconds;
        let schedule = Schedule::by_cron("0 0 * * *", Ttl::from_seconds(3600)).unwrap();
        assert_eq!(schedule.after(at(5)), at(86_400));
        for (now, open, missed) in
            [(86_399, false, false), (86_400, true, false), (89_999, true, false), (90_000, false, true)]
        {
            assert_eq!(
                (schedule.is_open(at(86_400), at(now)), schedule.is_missed(at(86_400), at(now))),
                (open, missed)
            );
        }
        let period = Schedule::every(Ttl::from_seconds(60)).unwrap();
        assert!(period.is_open(at(60), at(1_000_000)) && !period.is_missed(at(60), at(1_000_000)));
        assert!(Schedule::every(Ttl::from_seconds(4)).is_err());
        assert!(Schedule::by_cron("0 0 * * *", Ttl::from_seconds(60)).is_err());
    }
}
