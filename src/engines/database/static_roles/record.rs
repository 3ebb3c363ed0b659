//! A static role, as it is stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::roles::CredentialType;
use super::schedule::Schedule;
use crate::engine::Record;
use crate::secret::{self, SecretText};
use crate::time::Timestamp;

/// A role that keeps the password of a user who is there already.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StaticRole {
    /// The connection that the password is set through.
    pub(crate) db_name: String,
    /// The user.
    pub(crate) username: String,
    /// When the password is rotated.
    pub(crate) schedule: Schedule,
    /// How it is set; empty for the database's own way.
    pub(crate) rotation_statements: Vec<String>,
    /// What the user has.
    pub(crate) credential_type: CredentialType,
    /// How it is made: `password_policy`.
    pub(crate) credential_config: BTreeMap<String, String>,
    /// The password; empty before the first rotation is done.
    #[serde(with = "secret::at_rest")]
    pub(crate) password: SecretText,
    /// The password that is being set, or was when the server stopped; empty for none.
    #[serde(with = "secret::at_rest")]
    pub(crate) pending_password: SecretText,
    /// When the password was set.
    pub(crate) last_rotation: Option<Timestamp>,
    /// When the next one is due.
    pub(crate) next_rotation: Timestamp,
}

impl Record for StaticRole {}

impl StaticRole {
    /// The path of a static role's record.
    pub(crate) fn key(name: &str) -> String {
        format!("static-role/{name}")
    }

    /// Whether a rotation was begun and is not known to be done.
    pub(crate) fn is_unsettled(&self) -> bool {
        !self.pending_password.is_empty()
    }
}
