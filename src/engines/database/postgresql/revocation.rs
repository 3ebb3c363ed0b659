//! How a user is removed when nobody says how: it is locked out first, then its rights are taken away, then it is
//! dropped. What it owns is left alone, so a user who owns something stays, locked out, until an operator decides.

use tokio_postgres::types::Type;

use super::super::plugin::Failure;
use super::failure;
use super::pool::{Pool, Transaction};
use super::session::Fault;
use super::statement::identifier;

/// Removes `username`; a success if there is no such user.
pub(super) async fn drop_user(pool: &Pool, username: &str) -> Result<(), Failure> {
    let mut locking = pool.begin().await?;
    match lock_out(&mut locking, username).await {
        Ok(true) => locking.commit().await?,
        Ok(false) => {
            locking.rollback().await;
            return Ok(());
        }
        Err(fault) => return Err(refused(locking, &fault).await),
    }
    terminate_sessions(pool, username).await?;
    let mut removal = pool.begin().await?;
    match remove(&mut removal, username).await {
        Ok(()) => removal.commit().await,
        Err(fault) => Err(refused(removal, &fault).await),
    }
}

async fn refused(transaction: Transaction<'_>, fault: &Fault) -> Failure {
    let failure = failure::of(fault, &[]);
    transaction.rollback().await;
    failure
}

/// Whether there is such a user, who then cannot log in any more.
async fn lock_out(transaction: &mut Transaction<'_>, username: &str) -> Result<bool, Fault> {
    let found = transaction.query("SELECT 1 FROM pg_roles WHERE rolname = $1", &[(&username, Type::TEXT)]).await?;
    if found.is_empty() {
        return Ok(false);
    }
    transaction.execute(&format!("ALTER ROLE {} NOLOGIN", identifier(username)), &[]).await?;
    Ok(true)
}

/// Ends what the user has open. Without the right to do so (`pg_signal_backend`) its sessions go on until they end.
async fn terminate_sessions(pool: &Pool, username: &str) -> Result<(), Failure> {
    let mut transaction = pool.begin().await?;
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
    match transaction.query(terminate, &[(&username, Type::TEXT)]).await {
        Ok(_) => transaction.commit().await,
        Err(fault) if fault.is_refusal() => {
            let failure = failure::of(&fault, &[]);
            tracing::warn!(?failure, "the sessions of a revoked database user could not be ended");
            transaction.rollback().await;
            Ok(())
        }
        Err(fault) => Err(refused(transaction, &fault).await),
    }
}

async fn remove(transaction: &mut Transaction<'_>, username: &str) -> Result<(), Fault> {
    const OWNED: &str = "SELECT 1 FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid \
        WHERE r.rolname = $1 AND d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o' \
        AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) LIMIT 1";
    if transaction.query(OWNED, &[(&username, Type::TEXT)]).await?.is_empty() {
        // Where nothing is owned this takes away rights, of every kind, and does nothing else.
        transaction.batch("SAVEPOINT rights").await?;
        match transaction.execute(&format!("DROP OWNED BY {}", identifier(username)), &[]).await {
            Ok(()) => {}
            // Only a member of the role may do that; whoever granted the rights may still take them back one by one.
            Err(fault) if fault.is_refusal() => {
                transaction.batch("ROLLBACK TO SAVEPOINT rights").await?;
                take_rights(transaction, username).await?;
            }
            Err(fault) => return Err(fault),
        }
    }
    transaction.execute(&format!("DROP ROLE IF EXISTS {}", identifier(username)), &[]).await
}

/// Takes away the rights on schemas and on what is in them, on default privileges, and on the database.
async fn take_rights(transaction: &mut Transaction<'_>, username: &str) -> Result<(), Fault> {
    const SCHEMAS: &str = "SELECT DISTINCT n.nspname::text FROM pg_namespace n \
        WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND ( \
            EXISTS (SELECT 1 FROM aclexplode(n.nspacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = $1) \
            OR EXISTS (SELECT 1 FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee \
                WHERE c.relnamespace = n.oid AND r.rolname = $1) \
            OR EXISTS (SELECT 1 FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a \
                JOIN pg_roles r ON r.oid = a.grantee WHERE c.relnamespace = n.oid AND r.rolname = $1) \
            OR EXISTS (SELECT 1 FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee \
                WHERE p.pronamespace = n.oid AND r.rolname = $1))";
    const DATABASES: &str = "SELECT d.datname::text FROM pg_database d WHERE EXISTS ( \
        SELECT 1 FROM aclexplode(d.datacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = $1)";
    let user = identifier(username);
    for row in transaction.query(SCHEMAS, &[(&username, Type::TEXT)]).await? {
        let schema = identifier(row.try_get(0).map_err(Fault::Database)?);
        for kind in ["TABLES", "SEQUENCES", "ROUTINES"] {
            let text = format!("REVOKE ALL PRIVILEGES ON ALL {kind} IN SCHEMA {schema} FROM {user}");
            transaction.execute(&text, &[]).await?;
        }
        transaction.execute(&format!("REVOKE ALL PRIVILEGES ON SCHEMA {schema} FROM {user}"), &[]).await?;
    }
    for row in transaction.query(DATABASES, &[(&username, Type::TEXT)]).await? {
        let database = identifier(row.try_get(0).map_err(Fault::Database)?);
        transaction.execute(&format!("REVOKE ALL PRIVILEGES ON DATABASE {database} FROM {user}"), &[]).await?;
    }
    Ok(())
}
