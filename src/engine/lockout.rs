//! Locks a user out after too many wrong passwords, for auth methods that check passwords.
//!
//! Counted in memory: a failed login commits nothing, a restart forgives, and each node counts for itself. Names that no
//! user has are counted like those of users, so that being locked out does not tell who exists; apart from them and no more
//! than a number of them, so that made-up names neither cost memory nor keep out the user who gets such a name.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ring::digest;

use crate::time::Timestamp;

/// The most names without a user that are counted for a mount. With one more the oldest is forgotten.
const MOST_STRANGERS: usize = 16_384;

/// When a user is locked out, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockoutPolicy {
    /// So many wrong passwords lock; nothing for never.
    pub threshold: Option<u32>,
    /// For so long after the last of them.
    pub duration: Duration,
    /// After so long without another one, wrong passwords are forgotten.
    pub counter_reset: Duration,
}

impl Default for LockoutPolicy {
    fn default() -> Self {
        let quarter = Duration::from_mins(15);
        Self { threshold: Some(5), duration: quarter, counter_reset: quarter }
    }
}

/// What a checked password comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was right, and the user is not locked out.
    Right,
    /// It was wrong.
    Wrong,
    /// Right or wrong does not matter.
    LockedOut,
}

/// The wrong passwords of the users of one mount.
#[derive(Debug, Default)]
pub struct Lockouts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    policy: LockoutPolicy,
    failures: HashMap<String, Failures>,
    strangers: Strangers,
}

/// The wrong passwords for names that no user has. Of a name its hash is kept: names may be long.
#[derive(Debug, Default)]
struct Strangers {
    failures: HashMap<[u8; 32], Failures>,
    /// Every failure, the oldest first.
    order: VecDeque<([u8; 32], Timestamp)>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl LockoutPolicy {
    fn locks(&self, failures: Failures, now: Timestamp) -> bool {
        self.is_reached(failures) && now.since(failures.last) < self.duration
    }

    fn forgives(&self, failures: Failures, now: Timestamp) -> bool {
        now.since(failures.last) >= if self.is_reached(failures) { self.duration } else { self.counter_reset }
    }

    /// What one more wrong password after `known` comes to; nothing for who is locked out.
    fn one_more(&self, known: Option<&Failures>, now: Timestamp) -> Option<Failures> {
        let known = known.filter(|known| !self.forgives(**known, now));
        if known.is_some_and(|known| self.locks(*known, now)) {
            return None;
        }
        Some(Failures { count: known.map_or(0, |known| known.count).saturating_add(1), last: now })
    }

    fn is_reached(&self, failures: Failures) -> bool {
        self.threshold.is_some_and(|threshold| failures.count >= threshold)
    }
}

impl Lockouts {
    /// Replaces the policy. It holds for what was counted already, too.
    pub fn set_policy(&self, policy: LockoutPolicy) {
        self.with(|state| state.policy = policy);
    }

    /// Whether the user is locked out; to be asked before any work is done for them.
    pub fn is_locked_out(&self, user: &str, now: Timestamp) -> bool {
        self.with(|state| state.failures.get(user).is_some_and(|failures| state.policy.locks(*failures, now)))
    }

    /// Counts a checked password. Whether the user is locked out is asked again: of many passwords that are tried at
    /// once, none that comes after the last permitted wrong one says whether it was right.
    pub fn settle(&self, user: &str, right: bool, now: Timestamp) -> Verdict {
        self.with(|State { policy, failures, .. }| {
            let Some(one_more) = policy.one_more(failures.get(user), now) else { return Verdict::LockedOut };
            if right {
                failures.remove(user);
                return Verdict::Right;
            }
            failures.retain(|_, failures| !policy.forgives(*failures, now));
            failures.insert(user.to_owned(), one_more);
            Verdict::Wrong
        })
    }

    /// Whether a user of this name would be locked out, where there is none.
    pub fn is_stranger_locked_out(&self, name: &str, now: Timestamp) -> bool {
        self.with(|State { policy, strangers, .. }| {
            strangers.failures.get(&hashed(name)).is_some_and(|failures| policy.locks(*failures, now))
        })
    }

    /// Counts a password for a name that no user has, and says what it would come to for one who has.
    pub fn settle_stranger(&self, name: &str, now: Timestamp) -> Verdict {
        self.with(|State { policy, strangers, .. }| {
            if policy.threshold.is_none() {
                return Verdict::Wrong;
            }
            let key = hashed(name);
            let Some(one_more) = policy.one_more(strangers.failures.get(&key), now) else {
                return Verdict::LockedOut;
            };
            strangers.note(key, one_more);
            Verdict::Wrong
        })
    }

    /// The users that are locked out, by name.
    pub fn locked_out(&self, now: Timestamp) -> Vec<String> {
        self.with(|State { policy, failures, .. }| {
            let locked = failures.iter().filter(|(_, failures)| policy.locks(**failures, now));
            let mut names: Vec<String> = locked.map(|(name, _)| name.clone()).collect();
            names.sort_unstable();
            names
        })
    }

    /// Forgets the user's wrong passwords.
    pub fn forgive(&self, user: &str) {
        self.with(|state| state.failures.remove(user));
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Strangers {
    fn note(&mut self, key: [u8; 32], failures: Failures) {
        if self.order.len() >= MOST_STRANGERS
            && let Some((oldest, when)) = self.order.pop_front()
            && self.failures.get(&oldest).is_some_and(|kept| kept.last == when)
        {
            self.failures.remove(&oldest);
        }
        self.order.push_back((key, failures.last));
        self.failures.insert(key, failures);
    }
}

/// A name, as strangers are known by.
fn hashed(name: &str) -> [u8; 32] {
    let hash = digest::digest(&digest::SHA256, name.as_bytes());
    hash.as_ref().try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lockouts(threshold: Option<u32>) -> Lockouts {
        let lockouts = Lockouts::default();
        let (duration, counter_reset) = (Duration::from_mins(1), Duration::from_secs(10));
        lockouts.set_policy(LockoutPolicy { threshold, duration, counter_reset });
        lockouts
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000 + second)
    }

    #[test]
    fn enough_wrong_passwords_lock_for_a_time() {
        let lockouts = lockouts(Some(3));
        for second in 0..3 {
            assert!(!lockouts.is_locked_out("bob", at(second)));
            assert_eq!(lockouts.settle("bob", false, at(second)), Verdict::Wrong);
        }
        assert!(lockouts.is_locked_out("bob", at(3)));
        assert_eq!(lockouts.locked_out(at(3)), ["bob"]);
        // What was under way when the lock fell tells nothing, and does not lengthen it.
        for right in [true, false] {
            assert_eq!(lockouts.settle("bob", right, at(50)), Verdict::LockedOut);
        }
        assert_eq!(lockouts.settle("eve", true, at(3)), Verdict::Right);
        assert!(!lockouts.is_locked_out("bob", at(62)) && lockouts.locked_out(at(62)).is_empty());
        assert_eq!(lockouts.settle("bob", false, at(62)), Verdict::Wrong);
        assert!(!lockouts.is_locked_out("bob", at(62)));
    }

    #[test]
    fn a_right_password_time_and_an_administrator_forgive() {
        let lockouts = lockouts(Some(3));
        for round in 0..5 {
            for attempt in 0..2 {
                assert_eq!(lockouts.settle("bob", false, at(round * 3 + attempt)), Verdict::Wrong);
            }
            assert_eq!(lockouts.settle("bob", true, at(round * 3 + 2)), Verdict::Right);
        }
        for round in 0..5 {
            assert_eq!(lockouts.settle("bob", false, at(100 + round * 10)), Verdict::Wrong);
        }
        for _ in 0..2 {
            lockouts.settle("bob", false, at(140));
        }
        assert!(lockouts.is_locked_out("bob", at(140)));
        lockouts.forgive("bob");
        assert_eq!(lockouts.settle("bob", true, at(140)), Verdict::Right);
    }

    #[test]
    fn a_policy_without_a_threshold_locks_nobody() {
        let lockouts = lockouts(None);
        for _ in 0..100 {
            assert_eq!(lockouts.settle("bob", false, at(0)), Verdict::Wrong);
        }
        assert!(!lockouts.is_locked_out("bob", at(0)));
    }

    #[test]
    fn a_name_without_a_user_is_locked_like_a_user_and_is_none() {
        let lockouts = lockouts(Some(3));
        for second in 0..3 {
            assert!(!lockouts.is_stranger_locked_out("nobody", at(second)));
            assert_eq!(lockouts.settle_stranger("nobody", at(second)), Verdict::Wrong);
        }
        assert!(lockouts.is_stranger_locked_out("nobody", at(3)));
        assert_eq!(lockouts.settle_stranger("nobody", at(50)), Verdict::LockedOut);
        assert!(lockouts.locked_out(at(3)).is_empty(), "it is no user");
        assert!(!lockouts.is_locked_out("nobody", at(3)), "whoever gets the name is not locked out");
        assert!(!lockouts.is_stranger_locked_out("nobody", at(62)));
        assert_eq!(lockouts.settle_stranger("nobody", at(62)), Verdict::Wrong);
    }

    #[test]
    fn made_up_names_cost_no_memory() {
        let lockouts = lockouts(Some(1));
        for round in 0..2 {
            for number in 0..MOST_STRANGERS + 10 {
                lockouts.settle_stranger(&format!("{round}-{number}"), at(0));
            }
            lockouts.with(|state| {
                assert_eq!(state.strangers.order.len(), MOST_STRANGERS);
                assert!(state.strangers.failures.len() <= MOST_STRANGERS);
            });
        }
        assert!(!lockouts.is_stranger_locked_out("1-9", at(1)) && lockouts.is_stranger_locked_out("1-10", at(1)));
        // One name many times is one entry, and ends with its last failure.
        let lockouts = self::lockouts(Some(u32::MAX));
        for _ in 0..MOST_STRANGERS * 2 {
            lockouts.settle_stranger("one", at(0));
        }
        lockouts.with(|state| assert_eq!(state.strangers.failures.len(), 1));
        lockouts.set_policy(LockoutPolicy { threshold: None, ..LockoutPolicy::default() });
        lockouts.settle_stranger("another", at(0));
        lockouts.with(|state| assert_eq!(state.strangers.failures.len(), 1, "nothing is counted that locks nobody"));
    }
}
