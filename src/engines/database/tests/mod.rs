//! The engine against a real PostgreSQL.

mod configuration;
mod credentials;
mod revocation;
mod root_rotation;
mod static_roles;

#[path = "../../../../tests/support/postgres.rs"]
mod postgres;

use serde_json::{Value, json};

use super::Database;
use crate::api::Operation;
use crate::engine::harness::Harness;
use crate::engine::{Content, Engine, LeaseData, NewLease, SecretsEngine};
use crate::error::{Error, Result};
use crate::secret::SecretJson;
use postgres::{ADMIN, ADMIN_PASSWORD, Postgres};

const CREATE: &str = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';";

/// A database and an engine.
struct Bench {
    server: Postgres,
    harness: Harness<Database>,
}

/// A user that the engine made.
struct User {
    name: String,
    password: String,
    lease: LeaseData,
}

impl Bench {
    async fn start() -> Self {
        Self { server: Postgres::start(), harness: Harness::open(json!({})).await }
    }

    /// The same, with the connection `pg` and the role `r`.
    async fn configured() -> Self {
        let bench = Self::start().await;
        bench.connect("pg", json!({})).await.unwrap();
        bench.role("r", json!({})).await;
        bench
    }

    fn url(&self, options: &str) -> String {
        format!("postgresql://{{{{username}}}}:{{{{password}}}}@localhost:{}/postgres?{options}", self.server.port)
    }

    async fn connect(&self, name: &str, changes: Value) -> Result<Value> {
        let connection = json!({
            "plugin_name": "postgresql-database-plugin",
            "connection_url": self.url("sslmode=disable"),
            "username": ADMIN,
            "password": ADMIN_PASSWORD,
            "allowed_roles": "*",
        });
        self.write(&format!("config/{name}"), merged(connection, changes)).await
    }

    async fn role(&self, name: &str, changes: Value) {
        let role = json!({"db_name": "pg", "creation_statements": CREATE, "default_ttl": "10m", "max_ttl": "1h"});
        self.write(&format!("roles/{name}"), merged(role, changes)).await.unwrap();
    }

    async fn write(&self, path: &str, body: Value) -> Result<Value> {
        self.harness.data(Operation::Write, path, body).await
    }

    async fn read(&self, path: &str) -> Result<Value> {
        self.harness.data(Operation::Read, path, Value::Null).await
    }

    async fn list(&self, path: &str) -> Result<Value> {
        Ok(self.harness.data(Operation::List, path, Value::Null).await?["keys"].clone())
    }

    async fn user(&self, role: &str) -> Result<User> {
        let answer = self.harness.call(Operation::Read, &format!("creds/{role}"), Value::Null).await?;
        let Content::Data { payload, lease: Some(lease), .. } = answer.content else { panic!("no lease") };
        let data: Value = serde_json::from_slice(payload.json()).unwrap();
        let text = |field: &str| data[field].as_str().unwrap().to_owned();
        Ok(User { name: text("username"), password: text("password"), lease: self.granted(lease) })
    }

    fn granted(&self, lease: NewLease) -> LeaseData {
        let issued = self.harness.deps.clock.now();
        LeaseData { id: lease.intent.map(|intent| intent.lease_id).unwrap_or_default(), issued, data: lease.data }
    }

    fn admits(&self, name: &str, password: &str) -> bool {
        self.server.query_as(name, password, "select current_user").is_ok_and(|user| user == name)
    }

    fn has_user(&self, name: &str) -> bool {
        self.server.query(&format!("select count(*) from pg_roles where rolname = '{}'", name.replace('\'', "''")))
            == "1"
    }

    async fn revoke(&self, lease: &LeaseData) -> Result<()> {
        self.harness.engine.revoke(lease).await
    }

    /// Another engine over the same records, as after a restart of the server.
    async fn restarted(self) -> Self {
        let Self { server, mut harness } = self;
        harness.engine = Database::open(harness.view.clone(), &json!({}), harness.deps.clone()).await.unwrap();
        Self { server, harness }
    }
}

/// `body` with the fields of `changes`.
fn merged(mut body: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    body.as_object_mut().unwrap().extend(changes);
    body
}

/// A lease that keeps `data`.
fn lease(bench: &Bench, data: &Value) -> LeaseData {
    LeaseData { id: "id".to_owned(), issued: bench.harness.deps.clock.now(), data: SecretJson::of(data).unwrap() }
}

/// All that an error says, to the caller and to the log.
fn everything(error: &Error) -> String {
    use std::error::Error as _;
    format!("{error} {error:?} {:?}", error.source().map(ToString::to_string))
}
