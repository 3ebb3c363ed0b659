//! `GET /v1/{mount}/creds/{name}`: a new user of the database, who lives as long as the lease.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::connections::Connection;
use super::super::grant::{Grant, expiration};
use super::super::plugin::NewUser;
use super::super::postgresql::LONGEST_NAME;
use super::super::username::{Ingredients, UsernameTemplate, truncated};
use super::super::{Database, EntryPath};
use super::record::{Role, policy_in};
use crate::api::Ttl;
use crate::engine::{Cx, Endpoint, Leased, Mount, NewLease, Route};
use crate::error::{Error, Result};
use crate::secret::{self, SecretText};

/// Asks for a new user.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ReadCredentials {}

/// A user of the database.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Credentials {
    username: String,
    #[serde(serialize_with = "secret::on_wire")]
    password: SecretText,
}

impl Endpoint for ReadCredentials {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Leased<Credentials>;

    const ROUTE: Route = Route::read("creds/{name}").summary("Make a user of the database");

    async fn handle(self, database: &Database, path: EntryPath, cx: &mut Cx<'_>) -> Result<Leased<Credentials>> {
        let name = path.name.into_string();
        let role: Option<Role> = database.view.get(&Role::key(&name)).await?;
        let role = role.ok_or_else(|| Error::invalid("unknown role; write it to roles first"))?;
        let opened = database.connections.open_for(&role.db_name, &name).await?;
        if role.creation_statements.iter().all(|statement| statement.trim().is_empty()) {
            return Err(Error::invalid("empty creation statements; set creation_statements of the role"));
        }
        let username = username(&opened.record, &name, cx)?;
        let policy = policy_in(&role.credential_config, &opened.record.password_policy);
        let password = cx.deps.passwords.generate(policy).await?;
        let taken = || Error::invalid("the username template made the name of a user that exists; add {{random 8}}");
        let _reserved = database.reservations.reserve(&role.db_name, &username).ok_or_else(taken)?;
        if opened.plugin.has_user(&username).await? {
            return Err(taken());
        }
        let grant = Grant {
            username,
            role: name,
            db_name: role.db_name.clone(),
            revocation_statements: role.revocation_statements.clone(),
        };
        let intent = cx.intend(&grant).await?;
        let user = NewUser {
            username: &grant.username,
            password: &password,
            expiration: expiration(cx.now().plus(lease_length(&role, cx.mount).duration())),
            statements: &role.creation_statements,
            rollback: &role.rollback_statements,
        };
        opened.plugin.create_user(user).await?;
        let lease =
            NewLease { ttl: role.default_ttl, max_ttl: role.max_ttl, intent: Some(intent), ..NewLease::of(&grant)? };
        Ok(Leased::new(Credentials { username: grant.username, password }, lease))
    }
}

fn username(connection: &Connection, role: &str, cx: &Cx<'_>) -> Result<String> {
    let ingredients =
        Ingredients { display_name: &cx.caller()?.display_name, role_name: role, now: cx.now(), entropy: cx.entropy() };
    let template = connection.username_template.as_deref().unwrap_or_default();
    let template = UsernameTemplate::parse(template, ingredients).map_err(Error::internal)?;
    let name = template.render(ingredients).map_err(Error::internal)?;
    Ok(truncated(&name, LONGEST_NAME).to_owned())
}

/// How long the lease lasts, within the bounds of the role and of the mount.
fn lease_length(role: &Role, mount: &Mount) -> Ttl {
    let longest =
        if mount.max_ttl.is_zero() { role.max_ttl } else { role.max_ttl.or(mount.max_ttl).min(mount.max_ttl) };
    let length = role.default_ttl.or(mount.default_ttl);
    if longest.is_zero() { length } else { length.min(longest) }
}
