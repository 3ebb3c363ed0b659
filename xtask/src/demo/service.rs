//! What a service does with nothing but its certificate.

use std::time::Duration;

use serde_json::Value;

use crate::failure::Failure;
use crate::person::{self, Person, text_at};
use crate::postgres::Postgres;
use crate::say;
use crate::wait;

use super::SECRET;
use super::setup::Site;

/// How long a revoked user may be able to connect.
const REVOKED_WITHIN: Duration = Duration::from_secs(20);

/// A user of the database, and its lease.
pub(super) struct DatabaseUser {
    name: String,
    password: String,
    lease: String,
}

/// Logs in, reads, connects, renews; then the operator takes the database user away again. The user that is returned is
/// another one, whose lease lasts.
pub(super) fn work(site: &Site, postgres: &Postgres) -> Result<DatabaseUser, Failure> {
    say::part("The service, with nothing but its client certificate");
    let service = &site.service;
    log_in(service)?;
    let read = service.arca("kv get -mount=secret -field=api_key billing/payments").capture()?;
    if read.trim_end() != SECRET {
        return Err(Failure::answer("the secret that was read is not the one that was stored"));
    }
    say::done("read its secret secret/billing/payments, and it is the one that was stored");
    let denied = service.arca("kv get -mount=secret payroll/bank").end()?;
    if denied.code != 2 || !denied.err.contains("permission denied") {
        return Err(Failure::answer(format!("reading another's secret ended with {}: {}", denied.code, denied.err)));
    }
    say::done("may not read secret/payroll/bank: permission denied");

    let user = DatabaseUser::ask(service)?;
    say::done(&format!("got the database user {} with the lease {}", user.name, user.lease));
    user.must_connect(postgres)?;
    say::done("connected to PostgreSQL as that user and counted 42 orders");
    let renewed = person::json(site.operator.arca("lease renew -increment=2h").arg(&user.lease))?;
    let seconds = renewed.pointer("/lease_duration").and_then(Value::as_u64).unwrap_or_default();
    if seconds < 7100 {
        return Err(Failure::answer(format!("the renewed lease lasts {seconds} seconds and not two hours")));
    }
    service.arca("token renew").capture()?;
    say::done(&format!("renewed the lease (now {seconds} seconds), and the service its token"));
    revoke(site, postgres, &user)?;
    let lasting = DatabaseUser::ask(service)?;
    lasting.must_connect(postgres)?;
    say::done(&format!("the service asked again and got another user, {}", lasting.name));
    Ok(lasting)
}

fn log_in(service: &Person) -> Result<(), Failure> {
    let login = person::json(service.arca("login -method=cert"))?;
    let policies = login.pointer("/auth/token_policies").and_then(Value::as_array).cloned().unwrap_or_default();
    if !policies.iter().any(|policy| policy == "billing") {
        return Err(Failure::answer("the login gave a token without the policy billing"));
    }
    say::done("logged in: no password, no token that someone had to hand over (arca login -method=cert)");
    Ok(())
}

fn revoke(site: &Site, postgres: &Postgres, user: &DatabaseUser) -> Result<(), Failure> {
    site.operator.arca("lease revoke -sync").arg(&user.lease).capture()?;
    wait::until(
        REVOKED_WITHIN,
        || Ok(!user.connects(postgres)?),
        || {
            Failure::new(
                "The revoked user can still connect",
                "This is a defect of the server: see arcad.log, report it.",
            )
        },
    )?;
    let left = postgres.admin("shop", &format!("SELECT count(*) FROM pg_roles WHERE rolname = '{}'", user.name))?;
    if left.trim() != "0" {
        return Err(Failure::answer("the revoked user still exists in PostgreSQL"));
    }
    say::done("the operator revoked the lease: PostgreSQL does not know that user any more");
    Ok(())
}

impl DatabaseUser {
    fn ask(service: &Person) -> Result<Self, Failure> {
        let answer = person::json(service.arca("read database/creds/billing"))?;
        Ok(Self {
            name: text_at(&answer, "/data/username")?,
            password: text_at(&answer, "/data/password")?,
            lease: text_at(&answer, "/lease_id")?,
        })
    }

    /// The id of its lease.
    pub(super) fn lease(&self) -> &str {
        &self.lease
    }

    /// Fails unless it can read the orders.
    pub(super) fn must_connect(&self, postgres: &Postgres) -> Result<(), Failure> {
        let ended = postgres.psql(&self.name, &self.password, "shop", "SELECT count(*) FROM orders")?;
        match (ended.code, ended.out.trim()) {
            (0, "42") => Ok(()),
            (code, _) => Err(Failure::answer(format!("psql as the new user ended with {code}: {}", ended.err))),
        }
    }

    fn connects(&self, postgres: &Postgres) -> Result<bool, Failure> {
        Ok(postgres.psql(&self.name, &self.password, "shop", "SELECT 1")?.code == 0)
    }
}
