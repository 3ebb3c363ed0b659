use std::process::{Command, Stdio};

use serde_json::json;

use super::{Bench, CREATE, lease};

const GRANTS: &str = "GRANT USAGE, CREATE ON SCHEMA app TO \"{{name}}\"; GRANT SELECT ON ALL TABLES IN SCHEMA app TO \
    \"{{name}}\"; GRANT UPDATE (a) ON app.t TO \"{{name}}\"; GRANT USAGE ON SEQUENCE app.s TO \"{{name}}\"; GRANT EXECUTE \
    ON FUNCTION app.f TO \"{{name}}\"; GRANT CONNECT, TEMP ON DATABASE postgres TO \"{{name}}\"";
const SCHEMA: &str = "create schema app; create table app.t (a int, b int); create sequence app.s; \
    create function app.f() returns int language sql as 'select 1'";

#[tokio::test]
async fn what_was_never_made_is_revoked_at_once() {
    let bench = Bench::configured().await;
    for statements in
        [json!([]), json!(["DROP ROLE \"{{name}}\""]), json!(["REVOKE x FROM \"{{name}}\"", "SELECT bad"])]
    {
        let grant = json!({
            "username": "v-never-made", "role": "gone", "db_name": "pg", "revocation_statements": statements,
        });
        bench.revoke(&lease(&bench, &grant)).await.unwrap();
    }
    let elsewhere = json!({"username": "v", "role": "r", "db_name": "nosuch", "revocation_statements": []});
    assert!(bench.revoke(&lease(&bench, &elsewhere)).await.is_err(), "a lease is not forgotten with its connection");
}

#[tokio::test]
async fn whoever_is_late_finds_the_user_gone() {
    let bench = Bench::configured().await;
    bench.server.query(SCHEMA);
    bench.role("r", json!({"creation_statements": [CREATE, GRANTS]})).await;
    for _ in 0..8 {
        let user = bench.user("r").await.unwrap();
        let revocations = (0..6).map(|_| bench.revoke(&user.lease));
        for outcome in futures_util::future::join_all(revocations).await {
            outcome.unwrap();
        }
        assert!(!bench.has_user(&user.name));
    }
}

#[tokio::test]
async fn rights_of_every_kind_are_taken_away() {
    let bench = Bench::configured().await;
    bench.server.query(SCHEMA);
    let defaults = "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO \"{{name}}\"";
    bench.role("r", json!({"creation_statements": [CREATE, GRANTS, defaults]})).await;
    let user = bench.user("r").await.unwrap();
    assert_eq!(bench.server.query_as(&user.name, &user.password, "select app.f()").as_deref(), Ok("1"));
    bench.revoke(&user.lease).await.unwrap();
    assert!(!bench.has_user(&user.name));
}

#[tokio::test]
async fn an_administrator_without_all_rights_can_revoke_too() {
    let bench = Bench::start().await;
    bench.server.query("create role manager with login createrole password 'manager'");
    bench.server.query("grant create on database postgres to manager");
    bench.server.query_as("manager", "manager", SCHEMA).unwrap();
    bench.connect("pg", json!({"username": "manager", "password": "manager"})).await.unwrap();
    bench.role("r", json!({"creation_statements": [CREATE, GRANTS.split("; GRANT CONNECT").next().unwrap()]})).await;
    let user = bench.user("r").await.unwrap();
    assert!(bench.admits(&user.name, &user.password));
    bench.revoke(&user.lease).await.unwrap();
    assert!(!bench.has_user(&user.name));
}

#[tokio::test]
async fn who_owns_something_is_locked_out_until_an_operator_decides() {
    let bench = Bench::configured().await;
    bench.role("r", json!({"creation_statements": [CREATE, "GRANT CREATE ON SCHEMA public TO \"{{name}}\""]})).await;
    let user = bench.user("r").await.unwrap();
    bench.server.query_as(&user.name, &user.password, "create table public.precious (a int)").unwrap();
    let error = bench.revoke(&user.lease).await.unwrap_err();
    assert!(error.to_string().contains("2BP01"), "{error}");
    assert!(bench.has_user(&user.name) && !bench.admits(&user.name, &user.password));
    let statements = "REASSIGN OWNED BY \"{{name}}\" TO admin; DROP OWNED BY \"{{name}}\"; DROP ROLE \"{{name}}\"";
    bench.role("r", json!({"revocation_statements": statements})).await;
    bench.revoke(&user.lease).await.unwrap();
    assert!(!bench.has_user(&user.name));
    assert_eq!(bench.server.query("select count(*) from public.precious"), "0", "the table is still there");
}

#[tokio::test]
async fn open_sessions_end() {
    let bench = Bench::configured().await;
    let user = bench.user("r").await.unwrap();
    let mut session = Command::new("psql")
        .args(["-X", "-w", "-h", "localhost", "-d", "postgres", "-p", &bench.server.port.to_string(), "-U", &user.name])
        .args(["-c", "select pg_sleep(60)"])
        .env("PGPASSWORD", &user.password)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let sessions = format!("select count(*) from pg_stat_activity where usename = '{}'", user.name);
    while bench.server.query(&sessions) != "1" {
        assert!(session.try_wait().unwrap().is_none(), "the session did not start");
    }
    bench.revoke(&user.lease).await.unwrap();
    assert!(!session.wait().unwrap().success());
    assert_eq!(bench.server.query(&sessions), "0");
}
