//! A role, as it is stored.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Ttl;
use crate::engine::Record;
use crate::error::{Error, Result};

/// A role that makes users.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Role {
    /// The connection that its users are made through.
    pub(crate) db_name: String,
    /// How long a lease lasts; 0 is the mount's default.
    pub(crate) default_ttl: Ttl,
    /// The longest that it can be renewed to; 0 is the mount's maximum.
    pub(crate) max_ttl: Ttl,
    /// What makes a user.
    pub(crate) creation_statements: Vec<String>,
    /// What renews one; empty for the database's own way.
    pub(crate) renew_statements: Vec<String>,
    /// What removes one; empty for the database's own way.
    pub(crate) revocation_statements: Vec<String>,
    /// What undoes creation statements that cannot be rolled back.
    pub(crate) rollback_statements: Vec<String>,
    /// What a user is given.
    pub(crate) credential_type: CredentialType,
    /// How it is made: `password_policy`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) credential_config: BTreeMap<String, String>,
}

impl Record for Role {}

impl Role {
    /// The path of a role's record.
    pub(crate) fn key(name: &str) -> String {
        format!("role/{name}")
    }
}

/// What a user is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CredentialType {
    /// A password.
    #[default]
    Password,
}

impl CredentialType {
    /// The type of that name.
    pub(crate) fn named(name: &str) -> Result<Self> {
        match name {
            "" | "password" => Ok(Self::Password),
            _ => Err(Error::invalid("invalid credential_type; postgresql-database-plugin has password only")),
        }
    }
}

/// The password policy that a `credential_config` names, or that of the connection.
pub(crate) fn policy_in<'a>(config: &'a BTreeMap<String, String>, of_connection: &'a str) -> &'a str {
    config.get("password_policy").map_or(of_connection, String::as_str)
}
