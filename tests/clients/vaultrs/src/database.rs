//! The database engine with PostgreSQL.

use std::rc::Rc;

use serde_json::json;
use vaultrs::api::database::requests::{PostgreSQLConnectionRequest, SetRoleRequest, SetStaticRoleRequest};
use vaultrs::database::{connection, role, static_role};
use vaultrs::sys::mount;

use crate::raw;
use crate::site::{Outcome, Site, code, unique};

const CREATION: &str = r#"CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"#;

/// A mount with a connection `pg`.
async fn prepared(site: &Site) -> Result<String, &'static str> {
    let url = site.postgres.as_ref().ok_or("ARCA_TEST_POSTGRES is not set")?;
    let (user, place) = url.strip_prefix("postgresql://").and_then(|rest| rest.split_once('@')).unwrap();
    let (name, password) = user.split_once(':').unwrap();
    let engine = unique("database");
    mount::enable(&site.root, &engine, "database", None).await.unwrap();
    let mut options = PostgreSQLConnectionRequest::builder();
    let options = options
        .plugin_name("postgresql-database-plugin")
        .connection_url(format!("postgresql://{{{{username}}}}:{{{{password}}}}@{place}?sslmode=disable"))
        .username(name)
        .password(password)
        .verify_connection(true)
        .allowed_roles(vec!["*".to_owned()]);
    connection::postgres(&site.root, &engine, "pg", Some(options)).await.unwrap();
    Ok(engine)
}

pub async fn roles_and_credentials(site: Rc<Site>) -> Outcome {
    let engine = prepared(&site).await?;
    let root = &site.root;
    let read = connection::read(root, &engine, "pg").await.unwrap();
    assert_eq!((read.plugin_name.as_str(), read.allowed_roles), ("postgresql-database-plugin", vec!["*".to_owned()]));
    assert_eq!(connection::list(root, &engine).await.unwrap().keys, ["pg"]);
    connection::reset(root, &engine, "pg").await.unwrap();
    let mut options = SetRoleRequest::builder();
    let options = options.db_name("pg").creation_statements(vec![CREATION.to_owned()]).default_ttl("5m");
    role::set(root, &engine, "app", Some(options)).await.unwrap();
    let read = role::read(root, &engine, "app").await.unwrap();
    assert_eq!((read.db_name.as_str(), read.default_ttl), ("pg", 300));
    assert_eq!(role::list(root, &engine).await.unwrap().keys, ["app"]);
    let made = role::creds(root, &engine, "app").await.unwrap();
    assert!(!made.username.is_empty() && !made.password.is_empty());
    let prefix = format!("{engine}/creds/app");
    let listed = raw::keys(root, &format!("sys/leases/lookup/{prefix}")).await.unwrap();
    let lease = format!("{prefix}/{}", listed[0]);
    let known = raw::write(root, "sys/leases/lookup", json!({"lease_id": lease})).await.unwrap();
    assert_eq!((&known["id"], &known["renewable"]), (&json!(lease), &json!(true)));
    let renewed = raw::answer(root, "sys/leases/renew", json!({"lease_id": lease, "increment": 600})).await.unwrap();
    assert_eq!((&renewed["lease_id"], &renewed["lease_duration"]), (&json!(lease), &json!(600)));
    raw::tell(root, "sys/leases/revoke", json!({"lease_id": lease, "sync": true})).await.unwrap();
    assert_eq!(code(raw::write(root, "sys/leases/lookup", json!({"lease_id": lease})).await), 400);
    role::delete(root, &engine, "app").await.unwrap();
    assert_eq!(code(role::read(root, &engine, "app").await), 404);
    connection::delete(root, &engine, "pg").await.unwrap();
    assert_eq!(code(connection::list(root, &engine).await), 404);
    mount::disable(root, &engine).await.unwrap();
    Ok(())
}

pub async fn static_roles(site: Rc<Site>) -> Outcome {
    let engine = prepared(&site).await?;
    let root = &site.root;
    // A user for the static role to take over.
    let mut options = SetRoleRequest::builder();
    let options = options.db_name("pg").creation_statements(vec![CREATION.to_owned()]);
    role::set(root, &engine, "maker", Some(options)).await.unwrap();
    let user = role::creds(root, &engine, "maker").await.unwrap().username;
    let mut options = SetStaticRoleRequest::builder();
    let options = options.db_name("pg").username(&user).rotation_period("10m");
    static_role::set(root, &engine, "static", Some(options)).await.unwrap();
    let read = static_role::read(root, &engine, "static").await.unwrap();
    assert_eq!((read.username.as_str(), read.rotation_period), (&*user, 600));
    assert_eq!(static_role::list(root, &engine).await.unwrap().keys, ["static"]);
    let first = static_role::creds(root, &engine, "static").await.unwrap();
    static_role::rotate(root, &engine, "static").await.unwrap();
    let second = static_role::creds(root, &engine, "static").await.unwrap();
    assert!(first.password != second.password && second.ttl <= 600);
    static_role::delete(root, &engine, "static").await.unwrap();
    mount::disable(root, &engine).await.unwrap();
    Ok(())
}
