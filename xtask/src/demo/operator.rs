//! What an operator sets up: a secret, a policy, a role for a certificate, credentials of a database.

use crate::failure::Failure;
use crate::folder;
use crate::person::Person;
use crate::postgres::Postgres;
use crate::say;

use super::setup::Site;
use super::{SECRET, SERVICE};

/// What the service may do.
const POLICY: &str = r#"# The billing service: its own secrets, and users of the shop's database.
path "secret/data/billing/*" {
  capabilities = ["read"]
}
path "database/creds/billing" {
  capabilities = ["read"]
}
"#;

/// How a user of the database is made.
const CREATION: &str = r#"CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'; GRANT SELECT ON orders TO "{{name}}";"#;

/// The password of the vault's own database user, until the vault changes it.
const FIRST_PASSWORD: &str = "to-be-rotated-at-once";

/// Sets all of it up.
pub(super) fn prepare(site: &Site, postgres: &Postgres) -> Result<(), Failure> {
    say::part("The operator sets up what the service needs");
    let operator = &site.operator;
    operator.arca("secrets enable -path=secret -version=2 kv").capture()?;
    operator.arca("kv put -mount=secret billing/payments api_key=-").input(SECRET).capture()?;
    operator.arca("kv put -mount=secret payroll/bank pin=-").input("0000").capture()?;
    say::done("stored secrets at secret/billing/payments and secret/payroll/bank (KV version 2)");
    operator.arca("policy write billing -").input(POLICY).capture()?;
    say::done("wrote the policy billing, which allows to read the first and database/creds/billing");
    operator.arca("auth enable cert").capture()?;
    let authority = format!("certificate=@{}", site.authority.display());
    let role = operator.arca("write auth/cert/certs/billing token_policies=billing token_ttl=1h token_max_ttl=24h");
    role.arg(authority).arg(format!("allowed_common_names={SERVICE}")).capture()?;
    say::done(&format!("whoever has a certificate of our authority for \"{SERVICE}\" gets that policy, for an hour"));
    database(operator, postgres, site)
}

fn database(operator: &Person, postgres: &Postgres, site: &Site) -> Result<(), Failure> {
    postgres.admin("postgres", "CREATE DATABASE shop")?;
    postgres.admin("shop", "CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 42)")?;
    postgres.admin("shop", &format!("CREATE ROLE vault SUPERUSER LOGIN PASSWORD '{FIRST_PASSWORD}'"))?;
    say::done(&format!("started a real PostgreSQL on port {} with a database shop and 42 orders", postgres.port));
    let url =
        format!("postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/shop?sslmode=disable", postgres.port);
    operator.arca("secrets enable database").capture()?;
    operator
        .arca("write database/config/shop plugin_name=postgresql-database-plugin allowed_roles=billing username=vault")
        .arg(format!("connection_url={url}"))
        .arg("password=-")
        .input(FIRST_PASSWORD)
        .capture()?;
    operator.arca("write -f database/rotate-root/shop").capture()?;
    if postgres.psql("vault", FIRST_PASSWORD, "shop", "SELECT 1")?.code == 0 {
        return Err(Failure::new("The rotated password still works", "This is a defect of the server: report it."));
    }
    say::done("connected the vault to it and rotated its password there: now only the vault knows it");
    let statements = site.scratch.join("creation.sql");
    folder::write(&statements, CREATION)?;
    operator
        .arca("write database/roles/billing db_name=shop default_ttl=1h max_ttl=24h")
        .arg(format!("creation_statements=@{}", statements.display()))
        .capture()?;
    say::done("made the role billing: a user of its own for each request, good for an hour");
    Ok(())
}
