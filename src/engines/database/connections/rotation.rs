//! Changing the password of a connection's own user so that no crash loses it: the new password is on disk before the
//! database hears of it, and whoever opens the connection afterwards finishes what was begun.

use super::super::plugin::{DatabasePlugin, Failure, Reason};
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
        rotated_user(&record)?;
        let current = plugin(&record, &record.password, &self.deps)?;
        // Said before anything is recorded: a database that is away now is not asked to change anything.
        current.verify().await?;
        let new = self.deps.passwords.generate(&record.password_policy).await?;
        let record = self.change(name, Some(record.revision), |record| record.pending_password = copy(&new)).await?;
        put(&mut slot, None);
        let (record, failure) = self.apply(name, &record, &*current).await?;
        if let Some(failure) = failure {
            return Err(failure.into());
        }
        let plugin = plugin(&record, &record.password, &self.deps)?;
        put(&mut slot, Some(Pooled { revision: record.revision, plugin }));
        Ok(())
    }

    /// Finishes a rotation that was interrupted: finds out which of the two passwords the database takes, and sets the
    /// new one again, so that it is certain which one holds. Only for who holds the lock of the slot.
    pub(super) async fn settle(&self, name: &str, record: Connection) -> Result<Connection> {
        for password in [&record.pending_password, &record.password] {
            let plugin = plugin(&record, password, &self.deps)?;
            match plugin.verify().await {
                Ok(()) => {
                    let (record, failure) = self.apply(name, &record, &*plugin).await?;
                    if let Some(failure) = failure {
                        tracing::warn!(connection = name, ?failure, "an interrupted rotation could not be completed");
                    }
                    return Ok(record);
                }
                Err(failure) if failure.reason == Reason::Denied => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        Err(Failure::new(Reason::Denied).into())
    }

    /// Sets the pending password of `record` through a connection that works, and stores what holds afterwards. If that
    /// is not the new password, the failure says why. An error leaves both passwords where they are.
    async fn apply(
        &self,
        name: &str,
        record: &Connection,
        through: &dyn DatabasePlugin,
    ) -> Result<(Connection, Option<Failure>)> {
        let (username, new) = (rotated_user(record)?, &record.pending_password);
        let outcome = match through.set_password(&username, new, &record.root_rotation_statements).await {
            // Statements that do not set the password must not make the server forget the one that holds.
            Ok(()) => self.opens(record, new).await.map_err(Failure::of_rotation),
            Err(failure) => Err(failure),
        };
        match outcome {
            // The database has it now, whatever was configured meanwhile.
            Ok(()) => Ok((self.change(name, None, |changed| promote(changed, new)).await?, None)),
            Err(failure) if !failure.is_certain() => Err(failure.into()),
            // It may have been set before, by the rotation that was interrupted.
            Err(failure) => match self.opens(record, &record.password).await {
                Ok(()) => Ok((self.change(name, Some(record.revision), drop_pending).await?, Some(failure))),
                Err(old) if old.reason == Reason::Denied && self.opens(record, new).await.is_ok() => {
                    Ok((self.change(name, Some(record.revision), |changed| promote(changed, new)).await?, None))
                }
                Err(_) => Err(failure.into()),
            },
        }
    }

    /// Whether `password` opens the connection.
    async fn opens(&self, record: &Connection, password: &SecretText) -> Result<(), Failure> {
        plugin(record, password, &self.deps)?.verify().await
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
