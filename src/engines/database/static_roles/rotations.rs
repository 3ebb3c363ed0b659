//! Rotating the passwords of static roles so that no crash loses one: the new password is on disk before the database
//! hears of it, and a rotation that was interrupted is done again with the same password.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as AsyncMutex;

use super::super::connections::Connections;
use super::super::roles::policy_in;
use super::record::StaticRole;
use crate::engine::{Deps, Page, Txn, View};
use crate::error::{Error, Kind, Result};
use crate::secret::SecretText;
use crate::time::Timestamp;

/// How long a role whose rotation failed is left alone.
const BACKOFF: Duration = Duration::from_secs(10);
/// How often a change of a record is tried when others change it too.
const ATTEMPTS: usize = 5;

/// The rotations of one mount.
#[derive(Clone)]
pub(crate) struct Rotations {
    view: View,
    connections: Connections,
    deps: Deps,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Held while a role's password is changed.
    locks: BTreeMap<String, Arc<AsyncMutex<()>>>,
    /// When the next rotation of any role is due; nothing if that is not known.
    next: Option<Timestamp>,
    /// Counts what may make `next` too late.
    changes: u64,
    /// Roles whose rotation failed, and when it is tried again.
    failed: BTreeMap<String, Timestamp>,
}

impl State {
    fn reconsider(&mut self) {
        self.next = None;
        self.changes += 1;
    }
}

impl Rotations {
    /// The rotations of the roles in `view`.
    pub(crate) fn new(view: View, connections: Connections, deps: Deps) -> Self {
        Self { view, connections, deps, state: Arc::default() }
    }

    /// Gives the user of the role `name` a new password now, or finishes the rotation that was interrupted.
    pub(crate) async fn rotate(&self, name: &str) -> Result<StaticRole> {
        if !self.view.exists(&StaticRole::key(name)).await? {
            return Err(gone());
        }
        let lock = self.locked(|state| state.locks.entry(name.to_owned()).or_default().clone());
        let _alone = lock.lock().await;
        let outcome = self.rotate_alone(name).await;
        let again = self.deps.clock.now().plus(BACKOFF);
        self.locked(|state| {
            if outcome.is_ok() {
                state.failed.remove(name);
            } else {
                state.failed.insert(name.to_owned(), again);
                state.reconsider();
            }
        });
        outcome
    }

    /// Rotates what is due. A role whose rotation fails does not keep the others from theirs.
    pub(crate) async fn rotate_due(&self, now: Timestamp) -> Result<()> {
        let (planned, changes) = self.locked(|state| (state.next, state.changes));
        if planned.is_some_and(|next| now < next) {
            return Ok(());
        }
        let mut next: Option<Timestamp> = None;
        for name in self.view.list("static-role/", Page::all()).await? {
            let due = self.attend(&name, now).await?;
            next = due.into_iter().chain(next).min();
        }
        // Whoever changed a role meanwhile has asked for another look.
        let latest = now.plus(Duration::from_hours(1));
        let next = next.map_or(latest, |next| next.min(latest));
        self.locked(|state| state.next = (state.changes == changes).then_some(next));
        Ok(())
    }

    /// A role was written: the next rotation may be due sooner than was thought.
    pub(crate) fn reconsider(&self) {
        self.locked(State::reconsider);
    }

    /// Rotates one role if it is due; when it is due next.
    async fn attend(&self, name: &str, now: Timestamp) -> Result<Option<Timestamp>> {
        let Some(role) = self.view.get::<StaticRole>(&StaticRole::key(name)).await? else { return Ok(None) };
        if let Some(again) = self.locked(|state| state.failed.get(name).copied()).filter(|again| now < *again) {
            return Ok(Some(again));
        }
        if !role.is_unsettled() {
            if role.schedule.is_missed(role.next_rotation, now) {
                let role = self.change(name, |role| role.next_rotation = role.schedule.after(now)).await?;
                return Ok(role.map(|role| role.next_rotation));
            }
            if !role.schedule.is_open(role.next_rotation, now) {
                return Ok(Some(role.next_rotation));
            }
        }
        match self.rotate(name).await {
            Ok(role) => Ok(Some(role.next_rotation)),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(role = name, %error, cause, "the password of a static role could not be rotated");
                Ok(Some(now.plus(BACKOFF)))
            }
        }
    }

    async fn rotate_alone(&self, name: &str) -> Result<StaticRole> {
        let role: Option<StaticRole> = self.view.get(&StaticRole::key(name)).await?;
        let mut role = role.ok_or_else(gone)?;
        let db_name = role.db_name.clone();
        let opened = self.connections.open_for(&db_name, name).await?;
        let is_resumed = role.is_unsettled();
        if !is_resumed {
            let policy = policy_in(&role.credential_config, &opened.record.password_policy);
            let new = self.deps.passwords.generate(policy).await?;
            role = self.change(name, |role| role.pending_password = copy(&new)).await?.ok_or_else(gone)?;
            if role.db_name != db_name {
                return Err(moved());
            }
        }
        let new = copy(&role.pending_password);
        match opened.plugin.set_password(&role.username, &new, &role.rotation_statements).await {
            Ok(()) => {}
            // What is certain of this attempt is not certain of the one before it, which may have set the password: then
            // this is the only copy of it.
            Err(failure) if failure.is_certain() && !is_resumed => {
                self.change(name, |role| role.pending_password = copy(&SecretText::new(String::new()))).await?;
                return Err(failure.into());
            }
            Err(failure) => return Err(failure.into()),
        }
        let now = self.deps.clock.now();
        let promote = |role: &mut StaticRole| {
            // Meanwhile the role may be of another database, which has not heard of the password, or another role.
            if role.db_name != db_name || !role.pending_password.ct_eq(&new) {
                return;
            }
            role.password = copy(&new);
            role.pending_password = SecretText::new(String::new());
            role.last_rotation = Some(now);
            role.next_rotation = role.schedule.after(now);
        };
        let role = self.change(name, promote).await?.ok_or_else(gone)?;
        if role.password.ct_eq(&new) { Ok(role) } else { Err(moved()) }
    }

    /// Changes a record, durably and at once; nothing if it is gone.
    async fn change(&self, name: &str, change: impl Fn(&mut StaticRole) + Send + Sync) -> Result<Option<StaticRole>> {
        for _ in 0..ATTEMPTS {
            let mut txn = Txn::new();
            let key = StaticRole::key(name);
            let Some(mut role) = self.view.fetch::<StaticRole>(&mut txn, &key).await? else { return Ok(None) };
            change(&mut role);
            self.view.put(&mut txn, &key, &role)?;
            match self.view.commit(txn).await {
                Ok(()) => return Ok(Some(role)),
                Err(error) if error.kind() == Kind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(Kind::Unavailable, "the role is being changed by others; try again"))
    }

    fn locked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Rotations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rotations")
    }
}

fn gone() -> Error {
    Error::invalid("no static role found for role name")
}

fn moved() -> Error {
    Error::new(Kind::Unavailable, "the role was written anew while its password was changed; try again")
}

fn copy(password: &SecretText) -> SecretText {
    SecretText::new(password.expose().to_owned())
}
