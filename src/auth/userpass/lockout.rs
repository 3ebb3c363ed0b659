//! Locks a user out after too many wrong passwords.
//!
//! Counted in memory: a failed login commits nothing, and a restart forgives. Only users that exist are counted, so
//! there are never more counters than users.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::time::Timestamp;

/// When a user is locked out, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LockoutPolicy {
    /// So many wrong passwords in a row lock.
    pub(super) threshold: u32,
    /// So long.
    pub(super) duration: Duration,
    /// After so long without another one, wrong passwords are forgotten.
    pub(super) reset_after: Duration,
}

impl Default for LockoutPolicy {
    fn default() -> Self {
        let quarter = Duration::from_mins(15);
        Self { threshold: 5, duration: quarter, reset_after: quarter }
    }
}

/// What a checked password comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was right, and the user is not locked out.
    Right,
    /// It was wrong.
    Wrong,
    /// Right or wrong does not matter.
    LockedOut,
}

/// The wrong passwords of each user of one mount.
#[derive(Debug, Default)]
pub(super) struct Lockouts {
    failures: Mutex<HashMap<String, Failures>>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    fn lock(&self, policy: &LockoutPolicy, now: Timestamp) -> bool {
        self.count >= policy.threshold && now.since(self.last) < policy.duration
    }

    fn are_over(&self, policy: &LockoutPolicy, now: Timestamp) -> bool {
        let after = if self.count >= policy.threshold { policy.duration } else { policy.reset_after };
        now.since(self.last) >= after
    }
}

impl Lockouts {
    /// Whether the user is locked out, before any work is done for them.
    pub(super) fn is_locked_out(&self, user: &str, policy: &LockoutPolicy, now: Timestamp) -> bool {
        self.with(|failures| failures.get(user).is_some_and(|failures| failures.lock(policy, now)))
    }

    /// Counts a checked password. Whether the user is locked out is asked again: of many passwords that are tried at
    /// once, none that comes after the last permitted wrong one says whether it was right.
    pub(super) fn settle(&self, user: &str, right: bool, policy: &LockoutPolicy, now: Timestamp) -> Outcome {
        self.with(|failures| {
            let known = failures.get(user).copied().filter(|known| !known.are_over(policy, now));
            if known.is_some_and(|known| known.lock(policy, now)) {
                return Outcome::LockedOut;
            }
            if right {
                failures.remove(user);
                return Outcome::Right;
            }
            failures.retain(|_, failures| !failures.are_over(policy, now));
            let count = known.map_or(0, |known| known.count).saturating_add(1);
            failures.insert(user.to_owned(), Failures { count, last: now });
            Outcome::Wrong
        })
    }

    /// Forgets the user's wrong passwords.
    pub(super) fn forgive(&self, user: &str) {
        self.with(|failures| failures.remove(user));
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<String, Failures>) -> T) -> T {
        act(&mut self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: LockoutPolicy =
        LockoutPolicy { threshold: 3, duration: Duration::from_mins(1), reset_after: Duration::from_secs(10) };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000 + second)
    }

    #[test]
    fn enough_wrong_passwords_lock_for_a_time() {
        let lockouts = Lockouts::default();
        for second in 0..3 {
            assert!(!lockouts.is_locked_out("bob", &POLICY, at(second)));
            assert_eq!(lockouts.settle("bob", false, &POLICY, at(second)), Outcome::Wrong);
        }
        assert!(lockouts.is_locked_out("bob", &POLICY, at(3)));
        // What was under way when the lock fell tells nothing, and does not lengthen it.
        for right in [true, false] {
            assert_eq!(lockouts.settle("bob", right, &POLICY, at(50)), Outcome::LockedOut);
        }
        assert_eq!(lockouts.settle("eve", true, &POLICY, at(3)), Outcome::Right);
        assert!(!lockouts.is_locked_out("bob", &POLICY, at(62)));
        assert_eq!(lockouts.settle("bob", false, &POLICY, at(62)), Outcome::Wrong);
        assert!(!lockouts.is_locked_out("bob", &POLICY, at(62)));
    }

    #[test]
    fn a_right_password_and_time_forgive() {
        let lockouts = Lockouts::default();
        for round in 0..5 {
            for try_ in 0..2 {
                assert_eq!(lockouts.settle("bob", false, &POLICY, at(round * 3 + try_)), Outcome::Wrong);
            }
            assert_eq!(lockouts.settle("bob", true, &POLICY, at(round * 3 + 2)), Outcome::Right);
        }
        for round in 0..5 {
            assert_eq!(lockouts.settle("bob", false, &POLICY, at(100 + round * 10)), Outcome::Wrong);
        }
        lockouts.forgive("bob");
        assert!(lockouts.with(|failures| failures.is_empty()));
    }
}
