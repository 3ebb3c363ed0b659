//! Users that are locked out after wrong passwords: by which policy, and who they are.

use crate::engine::{LockoutPolicy, Lockouts, Role};
use crate::error::{Error, Result};
use crate::mount::{Backend, MountEntry, MountPoint, UserLockout};

use super::unsealed::Unsealed;

/// The users of one mount that are locked out.
#[derive(Debug)]
pub struct LockedUsers {
    /// The mount's accessor.
    pub accessor: String,
    /// Their names, sorted.
    pub users: Vec<String>,
}

impl Unsealed {
    /// Takes a mount into the table, with its meter; its users are locked out by its own policy, else by the configuration's.
    pub(super) fn install(&self, entry: MountEntry, backend: Backend) {
        if let Backend::Engine(engine) = &backend
            && let Some(lockouts) = engine.lockouts()
        {
            lockouts.set_policy(self.lockout_policy(&entry));
        }
        let meter = self.core.parts.metrics.mounts.meter(&self.namespace.path, &entry.path, &entry.kind);
        self.mounts.install(entry, backend, meter);
    }

    /// Who is locked out, by mount; of one mount where an accessor is given.
    pub fn locked_users(&self, accessor: Option<&str>) -> Vec<LockedUsers> {
        let now = self.deps.clock.now();
        let points = self.mounts.serving().into_iter().filter(|point| point.entry.role == Role::Auth);
        let wanted = points.filter(|point| accessor.is_none_or(|accessor| point.entry.accessor == accessor));
        let locked = wanted.filter_map(|point| {
            let users = lockouts(&point)?.locked_out(now);
            Some(LockedUsers { accessor: point.entry.accessor.clone(), users })
        });
        locked.filter(|locked| !locked.users.is_empty()).collect()
    }

    /// Lets a user try again at once. A user who is not locked out is a success.
    pub fn unlock_user(&self, accessor: &str, user: &str) -> Result<()> {
        let point = self.mounts.by_accessor(accessor);
        let point = point.ok_or_else(|| Error::invalid("no auth method has this accessor; list sys/auth for them"))?;
        if let Some(lockouts) = lockouts(&point) {
            lockouts.forgive(user);
        }
        Ok(())
    }

    fn lockout_policy(&self, entry: &MountEntry) -> LockoutPolicy {
        let configured = &self.core.settings().lockouts;
        let base = configured.get(&entry.kind).or_else(|| configured.get("all")).copied().unwrap_or_default();
        let Some(own) = &entry.config.user_lockout_config else { return base };
        let UserLockout { lockout_threshold, lockout_duration, lockout_counter_reset, lockout_disable } = own;
        let threshold = match u32::try_from(*lockout_threshold).unwrap_or(u32::MAX) {
            _ if *lockout_disable => None,
            0 => base.threshold,
            threshold => Some(threshold),
        };
        let or_base = |own: crate::api::Ttl, base| if own.is_zero() { base } else { own.duration() };
        LockoutPolicy {
            threshold,
            duration: or_base(*lockout_duration, base.duration),
            counter_reset: or_base(*lockout_counter_reset, base.counter_reset),
        }
    }
}

fn lockouts(point: &MountPoint) -> Option<&Lockouts> {
    match &point.backend {
        Backend::Engine(engine) => engine.lockouts(),
        Backend::System | Backend::Token | Backend::Identity | Backend::Unopened => None,
    }
}
