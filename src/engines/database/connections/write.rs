//! `POST /v1/{mount}/config/{name}`: configures a connection. What is left out stays as it is.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::plugin::Failure;
use super::super::postgresql::has_password;
use super::super::username::{Ingredients, UsernameTemplate};
use super::super::{Database, EntryPath, Statements};
use super::record::{Connection, ConnectionLimits, PasswordAuthentication, Plugin};
use super::registry::plugin;
use crate::api::{LooseBool, LooseInt, LooseText, StringList};
use crate::engine::{Caller, Cx, Done, Endpoint, Existence, Route};
use crate::error::{Error, Result};
use crate::secret::SecretText;

/// What an operator says about a connection.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteConnection {
    /// The kind of database: `postgresql-database-plugin`.
    plugin_name: Option<String>,
    /// Kept and not used: there is one version of each plugin.
    plugin_version: Option<String>,
    /// Whether the login is tried before the connection is stored; true if not set.
    verify_connection: Option<LooseBool>,
    /// The roles that may use it; `*` stands for any text.
    allowed_roles: Option<StringList>,
    /// How the password of its own user is changed.
    root_rotation_statements: Option<Statements>,
    /// The policy of passwords.
    password_policy: Option<String>,
    /// Where the database is; `{{username}}` and `{{password}}` are put in.
    connection_url: Option<SecretText>,
    /// The connection's own user.
    username: Option<String>,
    /// Its password.
    password: Option<SecretText>,
    /// How users are called.
    username_template: Option<String>,
    /// How many connections there may be at once.
    max_open_connections: Option<LooseInt>,
    /// How many of them stay open while nobody uses them.
    max_idle_connections: Option<LooseInt>,
    /// For how long one is used.
    max_connection_lifetime: Option<LooseText>,
    /// The authorities that the database's certificate may be of, in PEM.
    tls_ca: Option<String>,
    /// The certificate that the database is shown, in PEM.
    tls_certificate: Option<String>,
    /// Its key, in PEM.
    private_key: Option<SecretText>,
    /// Whether username and password go into the URL as they are.
    disable_escaping: Option<LooseBool>,
    /// `password` or `scram-sha-256`: in which form the database is given passwords.
    password_authentication: Option<String>,
}

impl Endpoint for WriteConnection {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Done;

    const ROUTE: Route = Route::write("config/{name}").summary("Configure a connection to a database");

    async fn handle(self, database: &Database, path: EntryPath, cx: &mut Cx<'_>) -> Result<Done> {
        let name = path.name.as_str();
        if self.password.is_none() {
            // The password that holds must be known before anything is built on it.
            database.connections.settle_if_interrupted(name).await?;
        }
        let before: Option<Connection> = database.view.fetch(cx.txn(), &Connection::key(name)).await?;
        let verify = self.verify_connection.is_none_or(|flag| flag.0);
        let record = self.merged(before, cx)?;
        check_template(&record, cx)?;
        let plugin = plugin(&record, &record.password, cx.deps)?;
        if verify {
            plugin.verify().await.map_err(Failure::into_refusal)?;
        }
        if has_password(record.connection_url.expose()) {
            cx.warn(
                "Password found in connection_url, use a templated url to enable root rotation and prevent read \
                     access to password information.",
            );
        }
        database.view.put(cx.txn(), &Connection::key(name), &record)?;
        let (connections, name) = (database.connections.clone(), path.name.into_string());
        cx.txn().on_commit(move || connections.forget(&name));
        Ok(Done)
    }

    async fn existence(database: &Database, path: EntryPath, _: Option<&Caller>) -> Result<Existence> {
        Ok(database.view.exists(&Connection::key(path.name.as_str())).await?.into())
    }
}

impl WriteConnection {
    /// The record that this makes out of the one before.
    fn merged(self, before: Option<Connection>, cx: &Cx<'_>) -> Result<Connection> {
        let plugin = match (&self.plugin_name, &before) {
            (Some(name), _) => Plugin::named(name).map_err(Error::invalid)?,
            (None, Some(before)) => before.plugin,
            (None, None) => Plugin::named("").map_err(Error::invalid)?,
        };
        let mut record = before.unwrap_or_else(|| empty(plugin));
        let nothing = || SecretText::new(String::new());
        if self.password.is_some() {
            record.pending_password = nothing();
        }
        record.revision = u64::from_be_bytes(cx.entropy().bytes()?);
        record.plugin = plugin;
        record.plugin_version = self.plugin_version.unwrap_or(record.plugin_version);
        record.allowed_roles = self.allowed_roles.map_or(record.allowed_roles, StringList::filled);
        record.root_rotation_statements =
            self.root_rotation_statements.map_or(record.root_rotation_statements, |list| list.0);
        record.password_policy = self.password_policy.unwrap_or(record.password_policy);
        record.connection_url = self.connection_url.unwrap_or(record.connection_url);
        record.username = self.username.or(record.username);
        record.password = self.password.unwrap_or(record.password);
        record.username_template = self.username_template.or(record.username_template);
        record.limits = ConnectionLimits {
            max_open_connections: self.max_open_connections.map(|n| n.0).or(record.limits.max_open_connections),
            max_idle_connections: self.max_idle_connections.map(|n| n.0).or(record.limits.max_idle_connections),
            max_connection_lifetime: self
                .max_connection_lifetime
                .map(|text| text.0)
                .or(record.limits.max_connection_lifetime),
        };
        record.tls_ca = self.tls_ca.or(record.tls_ca);
        record.tls_certificate = self.tls_certificate.or(record.tls_certificate);
        record.private_key = self.private_key.unwrap_or(record.private_key);
        record.disable_escaping = self.disable_escaping.map(|flag| flag.0).or(record.disable_escaping);
        if let Some(name) = &self.password_authentication {
            record.password_authentication = Some(PasswordAuthentication::named(name).map_err(Error::invalid)?);
        }
        Ok(record)
    }
}

fn empty(plugin: Plugin) -> Connection {
    let nothing = || SecretText::new(String::new());
    Connection {
        revision: 0,
        plugin,
        plugin_version: String::new(),
        allowed_roles: Vec::new(),
        root_rotation_statements: Vec::new(),
        password_policy: String::new(),
        connection_url: nothing(),
        username: None,
        password: nothing(),
        pending_password: nothing(),
        username_template: None,
        limits: ConnectionLimits::default(),
        tls_ca: None,
        tls_certificate: None,
        private_key: nothing(),
        disable_escaping: None,
        password_authentication: None,
    }
}

fn check_template(record: &Connection, cx: &Cx<'_>) -> Result<()> {
    let trial = Ingredients { display_name: "name", role_name: "role", now: cx.now(), entropy: cx.entropy() };
    let template = record.username_template.as_deref().unwrap_or_default();
    match UsernameTemplate::parse(template, trial) {
        Ok(_) => Ok(()),
        Err(sentence) => {
            Err(Error::invalid(format!("error creating database object: invalid username template: {sentence}")))
        }
    }
}
