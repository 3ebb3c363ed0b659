//! What a lease of this engine stands for: a user in a database.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Database;
use super::roles::Role;
use crate::engine::{LeaseData, Renewal};
use crate::error::{Error, Result};
use crate::time::Timestamp;

/// How much longer than its lease the database lets a user in, so that a renewal at the last moment is not too late.
const GRACE: Duration = Duration::from_secs(5);

/// A user in a database, as its lease keeps it. It is recorded before the user is made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// The user's name.
    pub(crate) username: String,
    /// The role that it was made by.
    pub(crate) role: String,
    /// The connection that it was made through.
    pub(crate) db_name: String,
    /// How it is removed once the role is gone; empty for the database's own way.
    pub(crate) revocation_statements: Vec<String>,
}

/// Removes the user of `lease`; a success if it was never made.
pub(crate) async fn revoke(database: &Database, lease: &LeaseData) -> Result<()> {
    let grant: Grant = lease.decode()?;
    // Statements that did not work can be mended: those of the role count as long as it is of the same database.
    let role: Option<Role> = database.view.get(&Role::key(&grant.role)).await?;
    let mended = role.filter(|role| role.db_name == grant.db_name).map(|role| role.revocation_statements);
    let statements = mended.unwrap_or(grant.revocation_statements);
    let opened = database.connections.open(&grant.db_name).await?;
    Ok(opened.plugin.drop_user(&grant.username, &statements).await?)
}

/// Lets the user of `lease` in until its lease ends anew.
pub(crate) async fn renew(database: &Database, lease: &LeaseData, until: Timestamp) -> Result<Renewal> {
    let grant: Grant = lease.decode()?;
    let role: Option<Role> = database.view.get(&Role::key(&grant.role)).await?;
    let role = role.filter(|role| role.db_name == grant.db_name).ok_or_else(|| {
        Error::invalid("the role of this lease is gone, so the lease cannot be renewed; ask for new credentials")
    })?;
    let latest = (!role.max_ttl.is_zero()).then(|| lease.issued.plus(role.max_ttl.duration()));
    if latest.is_some_and(|latest| latest <= database.clock.now()) {
        // The maximum was shortened: the user is let in until the lease ends, and must not be shut out before.
        return Err(Error::invalid("past the max TTL, cannot renew; ask for new credentials"));
    }
    let until = latest.map_or(until, |latest| until.min(latest));
    let opened = database.connections.open(&grant.db_name).await?;
    opened.plugin.renew_user(&grant.username, expiration(until), &role.renew_statements).await?;
    Ok(Renewal::Terms { ttl: role.default_ttl, max_ttl: role.max_ttl })
}

/// When the database stops to let in a user whose lease ends at `until`.
pub(crate) fn expiration(until: Timestamp) -> Timestamp {
    until.plus(GRACE)
}

/// The users that are being made now. A template without randomness makes the same name twice; the second request must
/// not take the first one's user for its own, and remove it when it fails.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reservations(Arc<Mutex<BTreeSet<(String, String)>>>);

/// A name that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    all: Reservations,
    name: (String, String),
}

impl Reservations {
    /// Takes the name of a user of a connection; nothing if it is taken.
    pub(crate) fn reserve(&self, db_name: &str, username: &str) -> Option<Reservation> {
        let name = (db_name.to_owned(), username.to_owned());
        let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        is_new.then(|| Reservation { all: self.clone(), name })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}
