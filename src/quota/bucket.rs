//! One address's bucket: it fills steadily and each request takes one out.

use std::time::Duration;

use crate::time::Timestamp;

use super::rule::RateLimit;

/// What an address has left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// How many requests are in it, as of `filled`.
    level: f64,
    filled: Timestamp,
    /// Until when every request is refused.
    blocked: Option<Timestamp>,
}

impl Bucket {
    /// A full one.
    pub(super) fn full(limit: &RateLimit, now: Timestamp) -> Self {
        Self { level: capacity(limit), filled: now, blocked: None }
    }

    /// Takes one request out, and says how many whole ones are left; an error says after how long to ask again.
    pub(super) fn take(&mut self, limit: &RateLimit, now: Timestamp) -> Result<f64, Duration> {
        if let Some(until) = self.blocked.filter(|until| *until > now) {
            return Err(until.since(now));
        }
        self.blocked = None;
        self.level = self.level_at(limit, now);
        self.filled = self.filled.max(now);
        if self.level >= 1.0 {
            self.level -= 1.0;
            return Ok(self.level.floor());
        }
        if !limit.block_interval.is_zero() {
            self.blocked = Some(now.plus(limit.block_interval.duration()));
            return Err(limit.block_interval.duration());
        }
        Err(Duration::from_secs_f64(((1.0 - self.level) / per_second(limit)).clamp(0.0, 1e9)))
    }

    /// Whether it is as good as a new one.
    pub(super) fn is_idle(&self, limit: &RateLimit, now: Timestamp) -> bool {
        self.blocked.is_none_or(|until| until <= now) && self.level_at(limit, now) >= capacity(limit)
    }

    /// A clock that goes back fills nothing and takes nothing.
    fn level_at(&self, limit: &RateLimit, now: Timestamp) -> f64 {
        let filled = now.since(self.filled).as_secs_f64() * per_second(limit);
        (self.level + filled).min(capacity(limit))
    }
}

/// At least one request fits, however low the rate.
fn capacity(limit: &RateLimit) -> f64 {
    limit.rate.max(1.0)
}

fn per_second(limit: &RateLimit) -> f64 {
    limit.rate / limit.interval.duration().as_secs_f64().max(1.0)
}
