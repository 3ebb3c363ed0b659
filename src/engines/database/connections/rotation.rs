//! Changing the password of a connection's own user so that no crash loses it: the new password is on disk before the
//! database hears of it, and whoever opens the connection afterwards finishes what was begun.

use super::super::plugin::{Failure, Reason};
use super::record::Connection;
use super::registry::{Connections, Pooled, plugin, put};
use crate::engine::Txn;
use crate::error::{Error, Kind, Result};
use crate::secret::SecretText;

/// How often a change of a record is tried when others change it too.
const ATTEMPTS: usize = 5;

impl Connections {
    /// Gives the user of the connection `name` a new password, which nobody but the server knows.
    pub(crate) async fn rotate_root(&self, name: &str) -> Result<()> {
        self.record(name).await?;
        let slot = self.slot(name);
        let mut slot = slot.lock().await;
        let mut record = self.record(name).await?;
        if !record.pending_password.is_empty() {
            record = self.settle(name, record).await?;
        }
        let username = rotated_user(&record)?;
        let current = plugin(&record, &record.password, &self.deps)?;
        // Said before anything is recorded: a database that is away now is not asked to change anything.
        current.verify().await?;
        let new = self.deps.passwords.generate(&record.password_policy).await?;
        let record = self.change(name, Some(record.revision), |record| record.pending_password = copy(&new)).await?;
        put(&mut slot, None);
        match current.set_password(&username, &new, &record.root_rotation_statements).await {
            Ok(()) => {}
            Err(failure) if failure.is_certain() => {
                self.change(name, Some(record.revision), drop_pending).await?;
                return Err(failure.into());
            }
            Err(failure) => return Err(failure.into()),
        }
        // The database has it now, whatever was configured meanwhile.
        let record = self.change(name, None, |record| promote(record, &new)).await?;
        let plugin = plugin(&record, &record.password, &self.deps)?;
        put(&mut slot, Some(Pooled { revision: record.revision, plugin }));
        Ok(())
    }

    /// Finishes a rotation that was interrupted: finds out which of the two passwords the database takes, and sets the
    /// new one again, so that it is certain which one holds. Only for who holds the lock of the slot.
    pub(super) async fn settle(&self, name: &str, record: Connection) -> Result<Connection> {
        let username = rotated_user(&record)?;
        let mut working = None;
        for (password, is_new) in [(&record.pending_password, true), (&record.password, false)] {
            let plugin = plugin(&record, password, &self.deps)?;
            match plugin.verify().await {
                Ok(()) => {
                    working = Some((plugin, is_new));
                    break;
                }
                Err(failure) if failure.reason == Reason::Denied => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        let Some((plugin, is_new)) = working else { return Err(Failure::new(Reason::Denied).into()) };
        let outcome = plugin.set_password(&username, &record.pending_password, &record.root_rotation_statements).await;
        match outcome {
            Ok(()) => self.change(name, None, |changed| promote(changed, &record.pending_password)).await,
            // The statements do not work, and the login tells which password holds.
            Err(failure) if matches!(failure.reason, Reason::Refused(_) | Reason::Misconfigured(_)) => {
                let change = |changed: &mut Connection| {
                    if is_new { promote(changed, &record.pending_password) } else { drop_pending(changed) }
                };
                self.change(name, Some(record.revision), change).await
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Changes a record, durably and at once; only as long as it has `revision`, if one is given.
    async fn change(
        &self,
        name: &str,
        revision: Option<u64>,
        change: impl Fn(&mut Connection) + Send + Sync,
    ) -> Result<Connection> {
        for _ in 0..ATTEMPTS {
            let mut txn = Txn::new();
            let key = Connection::key(name);
            let found: Option<Connection> = self.view.fetch(&mut txn, &key).await?;
            let found = found.filter(|record| revision.is_none_or(|revision| revision == record.revision));
            let Some(mut record) = found else { break };
            change(&mut record);
            record.revision = u64::from_be_bytes(self.deps.entropy.bytes()?);
            self.view.put(&mut txn, &key, &record)?;
            match self.view.commit(txn).await {
                Ok(()) => return Ok(record),
                Err(error) if error.kind() == Kind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        let message = "the connection was configured anew while its password was changed; check that it works, and \
            try again";
        Err(Error::new(Kind::Unavailable, message))
    }
}

fn copy(password: &SecretText) -> SecretText {
    SecretText::new(password.expose().to_owned())
}

fn promote(record: &mut Connection, new: &SecretText) {
    record.password = copy(new);
    drop_pending(record);
}

fn drop_pending(record: &mut Connection) {
    record.pending_password = SecretText::new(String::new());
}

fn rotated_user(record: &Connection) -> Result<String> {
    let username = record.username.clone().filter(|username| !username.is_empty()).ok_or_else(|| {
        Error::invalid(
            "unable to rotate root credentials: no username in configuration; set username and password, \
                        and put {{username}} and {{password}} into the connection_url",
        )
    })?;
    if !record.is_templated() {
        return Err(Error::invalid(
            "unable to rotate root credentials: put {{username}} and {{password}} into the connection_url",
        ));
    }
    Ok(username)
}
