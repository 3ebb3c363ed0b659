//! The plugin `postgresql-database-plugin`.

mod contention;
mod failure;
mod pool;
mod revocation;
mod scram;
mod session;
mod sql;
mod statement;
mod tls;
mod url;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use time::OffsetDateTime;
use tokio_postgres::types::Type;
use tokio_postgres_rustls::MakeRustlsConnect;
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::secret::SecretText;
use crate::time::Timestamp;

use super::connections::{Connection, PasswordAuthentication};
use super::plugin::{DatabasePlugin, Failure, NewUser, Reason};
use pool::{Address, Limits, Pool, Transaction};
use session::Fault;
use statement::{Binding, Role, render};
use tls::Material;
use url::Login;

pub(super) use url::{has_password, masked};

#[doc(hidden)]
pub use statement::fuzz as fuzz_statement;
#[doc(hidden)]
pub use url::fuzz as fuzz_url;

/// The longest name that PostgreSQL keeps, in bytes (`NAMEDATALEN` - 1).
pub(super) const LONGEST_NAME: usize = 63;

/// A PostgreSQL database.
pub(super) struct Postgres {
    pool: Pool,
    passwords: PasswordAuthentication,
    entropy: Arc<dyn Entropy>,
}

impl Postgres {
    /// A database as `connection` describes it, into which `password` lets its user in. Nothing is connected yet.
    pub(super) fn new(
        connection: &Connection,
        password: &SecretText,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Failure> {
        let misconfigured = |sentence| Failure::new(Reason::Misconfigured(sentence));
        let disable_escaping = connection.disable_escaping.unwrap_or_default();
        let (url, username) = (&connection.connection_url, connection.username.as_deref().unwrap_or_default());
        let login = Login { url, username, password, disable_escaping };
        let (_, mode) = login.target().map_err(misconfigured)?;
        let material = Material {
            ca: connection.tls_ca.as_deref().unwrap_or_default(),
            certificate: connection.tls_certificate.as_deref().unwrap_or_default(),
            private_key: &connection.private_key,
        };
        let tls = tls::client(mode, material).map_err(misconfigured)?.map(MakeRustlsConnect::new);
        let address = Address {
            url: SecretText::new(url.expose().to_owned()),
            username: username.to_owned(),
            password: SecretText::new(password.expose().to_owned()),
            disable_escaping,
            tls,
        };
        let limits = Limits {
            open: connection.limits.open(),
            idle: connection.limits.idle(),
            lifetime: connection.limits.lifetime().map_err(misconfigured)?,
        };
        Ok(Self {
            pool: Pool::new(address, limits),
            passwords: connection.password_authentication.unwrap_or_default(),
            entropy,
        })
    }

    /// What stands for `password` in a statement.
    fn stated(&self, password: &SecretText) -> Result<SecretText, Failure> {
        match self.passwords {
            PasswordAuthentication::Password => Ok(SecretText::new(password.expose().to_owned())),
            PasswordAuthentication::ScramSha256 => scram::verifier(password, &*self.entropy)
                .map_err(|error| Failure::new(Reason::Unreachable).with_detail(error.to_string())),
        }
    }

    /// Executes `statements` in one transaction, again where others get in its way.
    async fn run(&self, statements: &[Zeroizing<String>], secrets: &[&str]) -> Result<(), Failure> {
        if statements.iter().any(|statement| ends_transaction(statement)) {
            return self.run_once(statements, secrets).await;
        }
        contention::until_done(|| self.run_once(statements, secrets)).await
    }

    async fn run_once(&self, statements: &[Zeroizing<String>], secrets: &[&str]) -> Result<(), Failure> {
        let mut transaction = self.pool.begin().await?;
        for statement in statements {
            if let Err(fault) = transaction.execute(statement, &[]).await {
                return Err(taken_back(transaction, &fault, secrets).await);
            }
        }
        transaction.commit().await
    }
}

#[async_trait]
impl DatabasePlugin for Postgres {
    async fn verify(&self) -> Result<(), Failure> {
        self.pool.verify().await
    }

    async fn has_user(&self, username: &str) -> Result<bool, Failure> {
        let mut transaction = self.pool.begin().await?;
        let query = "SELECT 1 FROM pg_roles WHERE rolname = $1";
        match transaction.query(query, &[(&username, Type::TEXT)]).await {
            Ok(rows) => {
                transaction.rollback().await;
                Ok(!rows.is_empty())
            }
            Err(fault) => Err(taken_back(transaction, &fault, &[]).await),
        }
    }

    async fn create_user(&self, user: NewUser<'_>) -> Result<(), Failure> {
        let NewUser { username, password, expiration, statements, rollback } = user;
        let (stated, until) = (self.stated(password)?, moment(expiration));
        let bindings = with(
            &names(username),
            &[
                Binding { name: "password", value: stated.expose(), role: Role::Literal },
                Binding { name: "expiration", value: &until, role: Role::Literal },
            ],
        );
        let rendered_statements = rendered(statements, &bindings)?;
        let rendered_rollback = rendered(rollback, &names(username))?;
        let secrets = [stated.expose(), password.expose()];
        let outcome = self.run(&rendered_statements, &secrets).await;
        if outcome.is_err()
            && !rendered_rollback.is_empty()
            && let Err(failure) = self.run(&rendered_rollback, &secrets).await
        {
            tracing::warn!(?failure, "the rollback statements of a role failed");
        }
        outcome
    }

    async fn renew_user(&self, username: &str, expiration: Timestamp, statements: &[String]) -> Result<(), Failure> {
        const DEFAULT: &str = "ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}'";
        let until = moment(expiration);
        let expiration = Binding { name: "expiration", value: &until, role: Role::Literal };
        let rendered = rendered(&or_default(statements, DEFAULT), &with(&names(username), &[expiration]))?;
        self.run(&rendered, &[]).await
    }

    async fn drop_user(&self, username: &str, statements: &[String]) -> Result<(), Failure> {
        let outcome = if is_blank(statements) {
            contention::until_done(|| revocation::drop_user(&self.pool, username)).await
        } else {
            self.run(&rendered(statements, &names(username))?, &[]).await
        };
        match outcome {
            // What was never made, is gone already, or was removed by someone else meanwhile.
            Err(failure) if failure.is_certain() && !self.has_user(username).await? => Ok(()),
            outcome => outcome,
        }
    }

    async fn set_password(&self, username: &str, password: &SecretText, statements: &[String]) -> Result<(), Failure> {
        const DEFAULT: &str = "ALTER ROLE \"{{name}}\" WITH PASSWORD '{{password}}'";
        let stated = self.stated(password)?;
        let bindings =
            with(&names(username), &[Binding { name: "password", value: stated.expose(), role: Role::Literal }]);
        let rendered = rendered(&or_default(statements, DEFAULT), &bindings)?;
        // Whether the password was changed must be certain, so the transaction is ours alone.
        if rendered.iter().any(|statement| ends_transaction(statement)) {
            return Err(Failure::new(Reason::Misconfigured(
                "rotation statements run in one transaction; take BEGIN, COMMIT and ROLLBACK out of them",
            )));
        }
        self.run(&rendered, &[stated.expose(), password.expose()]).await
    }

    fn close(&self) {
        self.pool.close();
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("pool", &self.pool).finish_non_exhaustive()
    }
}

async fn taken_back(transaction: Transaction<'_>, fault: &Fault, secrets: &[&str]) -> Failure {
    let failure = failure::of(fault, secrets);
    transaction.rollback().await;
    failure
}

fn names(username: &str) -> [Binding<'_>; 2] {
    ["name", "username"].map(|name| Binding { name, value: username, role: Role::Identifier })
}

fn with<'a>(names: &[Binding<'a>], others: &[Binding<'a>]) -> Vec<Binding<'a>> {
    [names, others].concat()
}

fn rendered(statements: &[String], bindings: &[Binding<'_>]) -> Result<Vec<Zeroizing<String>>, Failure> {
    render(statements, bindings).map_err(|defect| Failure::new(Reason::Misconfigured(defect.message())))
}

fn or_default(statements: &[String], default: &str) -> Vec<String> {
    if is_blank(statements) { vec![default.to_owned()] } else { statements.to_vec() }
}

fn is_blank(statements: &[String]) -> bool {
    statements.iter().all(|statement| statement.trim().is_empty())
}

fn ends_transaction(statement: &str) -> bool {
    const WORDS: [&str; 7] = ["begin", "start", "commit", "end", "rollback", "abort", "prepare"];
    let first = statement.split(|c: char| !c.is_ascii_alphabetic()).find(|word| !word.is_empty()).unwrap_or_default();
    WORDS.iter().any(|word| first.eq_ignore_ascii_case(word))
}

/// A moment as PostgreSQL reads it, in UTC: `2026-11-22 03:56:43+0000`.
fn moment(timestamp: Timestamp) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(timestamp.unix_seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (moment.date(), moment.time());
    format!("{date} {:02}:{:02}:{:02}+0000", time.hour(), time.minute(), time.second())
}
