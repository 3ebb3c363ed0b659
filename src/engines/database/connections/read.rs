//! `GET /v1/{mount}/config/{name}`: a connection, without its password.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::postgresql::masked;
use super::super::{Database, EntryPath};
use super::record::{Connection, ConnectionLimits, PasswordAuthentication, Plugin};
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};

/// Asks for a connection.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ReadConnection {}

/// A connection.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConnectionInfo {
    plugin_name: Plugin,
    plugin_version: String,
    allowed_roles: Vec<String>,
    root_credentials_rotate_statements: Vec<String>,
    password_policy: String,
    connection_details: Details,
}

/// What the operator set, other than secrets.
#[derive(Debug, Serialize, JsonSchema)]
struct Details {
    connection_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username_template: Option<String>,
    #[serde(flatten)]
    limits: ConnectionLimits,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_ca: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_escaping: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_authentication: Option<PasswordAuthentication>,
}

impl Endpoint for ReadConnection {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Data<ConnectionInfo>;

    const ROUTE: Route = Route::read("config/{name}").summary("Read how a connection is configured");

    async fn handle(self, database: &Database, path: EntryPath, _: &mut Cx<'_>) -> Result<Data<ConnectionInfo>> {
        let record: Option<Connection> = database.view.get(&Connection::key(path.name.as_str())).await?;
        record.map(|record| Data::new(ConnectionInfo::from(record))).ok_or_else(Error::absent)
    }
}

impl From<Connection> for ConnectionInfo {
    fn from(record: Connection) -> Self {
        let Connection {
            revision: _,
            plugin,
            plugin_version,
            allowed_roles,
            root_rotation_statements,
            password_policy,
            connection_url,
            username,
            password: _,
            pending_password: _,
            username_template,
            limits,
            tls_ca,
            tls_certificate,
            private_key: _,
            disable_escaping,
            password_authentication,
        } = record;
        let connection_details = Details {
            connection_url: masked(connection_url.expose()),
            username,
            username_template,
            limits,
            tls_ca,
            tls_certificate,
            disable_escaping,
            password_authentication,
        };
        Self {
            plugin_name: plugin,
            plugin_version,
            allowed_roles,
            root_credentials_rotate_statements: root_rotation_statements,
            password_policy,
            connection_details,
        }
    }
}
