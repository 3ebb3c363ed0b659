//! `POST /v1/{mount}/roles/{name}`: writes a role. What is left out stays as it is.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::static_roles::StaticRole;
use super::super::{Database, EntryPath, Statements};
use super::record::{CredentialType, Role};
use crate::api::{KeyValues, Ttl};
use crate::engine::{Caller, Cx, Done, Endpoint, Existence, Route};
use crate::error::{Error, Result};

/// What an operator says about a role.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteRole {
    /// The connection that users are made through.
    db_name: Option<String>,
    /// How long a lease lasts.
    default_ttl: Option<Ttl>,
    /// The longest that it can be renewed to.
    max_ttl: Option<Ttl>,
    /// What makes a user, with `{{name}}`, `{{password}}` and `{{expiration}}`.
    creation_statements: Option<Statements>,
    /// What renews one.
    renew_statements: Option<Statements>,
    /// What removes one.
    revocation_statements: Option<Statements>,
    /// What undoes creation statements that cannot be rolled back.
    rollback_statements: Option<Statements>,
    /// `password`.
    credential_type: Option<String>,
    /// `password_policy`: the policy of the passwords.
    credential_config: Option<KeyValues>,
}

impl Endpoint for WriteRole {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Done;

    const ROUTE: Route = Route::write("roles/{name}").summary("Write a role that makes users");

    async fn handle(self, database: &Database, path: EntryPath, cx: &mut Cx<'_>) -> Result<Done> {
        let name = path.name.as_str();
        let other: Option<StaticRole> = database.view.fetch(cx.txn(), &StaticRole::key(name)).await?;
        if other.is_some() {
            return Err(Error::invalid("Role and Static Role names must be unique"));
        }
        let before: Option<Role> = database.view.fetch(cx.txn(), &Role::key(name)).await?;
        let role = self.merged(before.unwrap_or_default())?;
        database.view.put(cx.txn(), &Role::key(name), &role)?;
        Ok(Done)
    }

    async fn existence(database: &Database, path: EntryPath, _: Option<&Caller>) -> Result<Existence> {
        Ok(database.view.exists(&Role::key(path.name.as_str())).await?.into())
    }
}

impl WriteRole {
    fn merged(self, before: Role) -> Result<Role> {
        let db_name = self.db_name.unwrap_or(before.db_name);
        if db_name.is_empty() {
            return Err(Error::invalid("database name is required"));
        }
        let credential_type =
            self.credential_type.map_or(Ok(before.credential_type), |name| CredentialType::named(&name))?;
        Ok(Role {
            db_name,
            default_ttl: self.default_ttl.unwrap_or(before.default_ttl),
            max_ttl: self.max_ttl.unwrap_or(before.max_ttl),
            creation_statements: self.creation_statements.map_or(before.creation_statements, |list| list.0),
            renew_statements: self.renew_statements.map_or(before.renew_statements, |list| list.0),
            revocation_statements: self.revocation_statements.map_or(before.revocation_statements, |list| list.0),
            rollback_statements: self.rollback_statements.map_or(before.rollback_statements, |list| list.0),
            credential_type,
            credential_config: self.credential_config.map_or(before.credential_config, |pairs| pairs.0),
        })
    }
}
