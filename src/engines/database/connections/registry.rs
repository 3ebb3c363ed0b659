//! The open connections, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use super::super::plugin::{DatabasePlugin, Failure};
use super::super::postgresql::Postgres;
use super::record::{Connection, Plugin};
use crate::engine::{Deps, View};
use crate::error::{Error, Result};
use crate::secret::SecretText;

/// The open connections, by name. They open when they are first asked for.
#[derive(Clone)]
pub(crate) struct Connections {
    pub(super) view: View,
    pub(super) deps: Deps,
    slots: Arc<Mutex<BTreeMap<String, Slot>>>,
}

/// The place of one connection. Who holds its lock is alone in changing the connection's password.
pub(super) type Slot = Arc<AsyncMutex<Option<Pooled>>>;

/// An open connection.
pub(super) struct Pooled {
    /// That of the record that it was opened by.
    pub(super) revision: u64,
    /// The connection.
    pub(super) plugin: Arc<dyn DatabasePlugin>,
}

/// A connection that can be used, and its record.
pub(crate) struct Opened {
    /// Its record.
    pub(crate) record: Connection,
    /// The connection.
    pub(crate) plugin: Arc<dyn DatabasePlugin>,
}

impl Connections {
    /// No open connections yet.
    pub(crate) fn new(view: View, deps: Deps) -> Self {
        Self { view, deps, slots: Arc::default() }
    }

    /// The connection `name` for `role`, which must be allowed to use it.
    pub(crate) async fn open_for(&self, name: &str, role: &str) -> Result<Opened> {
        self.allowed(name, role).await?;
        self.open(name).await
    }

    /// An error unless `role` may use the connection `name`.
    pub(crate) async fn allowed(&self, name: &str, role: &str) -> Result<()> {
        if self.record(name).await?.allows(role) {
            return Ok(());
        }
        Err(Error::invalid("that is not an allowed role; add it to allowed_roles of the connection that it names"))
    }

    /// The connection `name`, after a change of its password that was interrupted is completed.
    pub(crate) async fn open(&self, name: &str) -> Result<Opened> {
        self.record(name).await?;
        let slot = self.slot(name);
        let mut slot = slot.lock().await;
        // Read anew: whoever held the lock may have changed it.
        let record = self.record(name).await?;
        if let Some(pooled) = slot.as_ref().filter(|pooled| pooled.revision == record.revision) {
            return Ok(Opened { plugin: pooled.plugin.clone(), record });
        }
        let record = if record.pending_password.is_empty() { record } else { self.settle(name, record).await? };
        let plugin = plugin(&record, &record.password, &self.deps)?;
        put(&mut slot, Some(Pooled { revision: record.revision, plugin: plugin.clone() }));
        Ok(Opened { record, plugin })
    }

    /// Completes a change of the password of the connection `name` that was interrupted, if one was.
    pub(crate) async fn settle_if_interrupted(&self, name: &str) -> Result<()> {
        let record: Option<Connection> = self.view.get(&Connection::key(name)).await?;
        if record.is_some_and(|record| !record.pending_password.is_empty()) {
            self.open(name).await?;
        }
        Ok(())
    }

    /// Closes the connection `name`; who uses it now can finish.
    pub(crate) fn forget(&self, name: &str) {
        let slot = self.slots.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        // A slot that is locked is about to be checked against the record, or rotates and will be.
        if let Some(mut slot) = slot.as_ref().and_then(|slot| slot.try_lock().ok()) {
            put(&mut slot, None);
        }
    }

    /// The record of the connection `name`.
    pub(crate) async fn record(&self, name: &str) -> Result<Connection> {
        let record = self.view.get(&Connection::key(name)).await?;
        record.ok_or_else(|| {
            Error::invalid("failed to find entry for connection with that name; write it to config first")
        })
    }

    pub(super) fn slot(&self, name: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(name.to_owned()).or_default().clone()
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connections")
    }
}

/// Puts `pooled` into a slot, and closes what was there.
pub(super) fn put(slot: &mut Option<Pooled>, pooled: Option<Pooled>) {
    if let Some(before) = std::mem::replace(slot, pooled) {
        before.plugin.close();
    }
}

/// The database that `record` describes, which `password` opens. Nothing is connected yet.
pub(super) fn plugin(
    record: &Connection,
    password: &SecretText,
    deps: &Deps,
) -> Result<Arc<dyn DatabasePlugin>, Failure> {
    match record.plugin {
        Plugin::PostgreSql => Ok(Arc::new(Postgres::new(record, password, deps.entropy.clone())?)),
    }
}
