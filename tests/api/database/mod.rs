//! Mounts of type `database`, with a real PostgreSQL behind them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use arca::storage::MemoryStorage;

use crate::support::postgres::{ADMIN, ADMIN_PASSWORD, Postgres};
use crate::support::{Client, Setup, TestVault, eventually};

pub(crate) const CREATE: &str =
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';";

/// Mounts the engine, and configures the connection `pg` and the role `app`.
pub(crate) fn configure(root: &Client, server: &Postgres, creation: &str) {
    connect(root, server, "app");
    let role = json!({"db_name": "pg", "creation_statements": creation, "default_ttl": "10m", "max_ttl": "1h"});
    root.post("database/roles/app", role).ok();
}

/// Mounts the engine, and configures the connection `pg`, which these roles may use.
pub(crate) fn connect(root: &Client, server: &Postgres, roles: &str) {
    root.post("sys/mounts/database", json!({"type": "database"})).ok();
    let url =
        format!("postgresql://{{{{username}}}}:{{{{password}}}}@localhost:{}/postgres?sslmode=disable", server.port);
    let connection = json!({
        "plugin_name": "postgresql-database-plugin", "connection_url": url, "username": ADMIN,
        "password": ADMIN_PASSWORD, "allowed_roles": roles,
    });
    root.post("database/config/pg", connection).ok();
}

/// The name and the password of new credentials, and their lease.
fn credentials(client: &Client) -> (String, String, String) {
    let answer = client.get("database/creds/app").ok().json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&answer["data"]["username"]), text(&answer["data"]["password"]), text(&answer["lease_id"]))
}

fn admits(server: &Postgres, name: &str, password: &str) -> bool {
    server.query_as(name, password, "select current_user").is_ok_and(|user| user == name)
}

pub(crate) fn users(server: &Postgres) -> usize {
    server.query("select count(*) from pg_roles where rolname like 'v-%'").parse().unwrap()
}

#[test]
fn credentials_are_made_used_renewed_and_revoked() {
    let server = Postgres::start();
    let vault = Setup::manual_clock().start();
    let root = vault.root();
    configure(&root, &server, CREATE);
    let reader = vault.with_policy("app", "path \"database/creds/app\" { capabilities = [\"read\"] }\npath \"sys/leases/renew\" { capabilities = [\"update\"] }");
    let (name, password, lease) = credentials(&reader);
    assert!(admits(&server, &name, &password));
    assert!(lease.starts_with("database/creds/app/"));
    assert_eq!(root.post("sys/leases/lookup", json!({"lease_id": lease})).data()["ttl"], 600);
    vault.advance(Duration::from_mins(5));
    let renewed = reader.post("sys/leases/renew", json!({"lease_id": lease, "increment": 1200})).ok().json();
    assert_eq!(renewed["lease_duration"], 1200);
    root.post("sys/leases/revoke", json!({"lease_id": lease, "sync": true})).ok();
    assert!(!admits(&server, &name, &password));
    assert_eq!(users(&server), 0);
    reader.post("sys/leases/renew", json!({"lease_id": lease})).is(400);

    // Those of a token that is revoked go with it.
    let (name, password, _) = credentials(&reader);
    assert!(admits(&server, &name, &password));
    reader.anonymous().with_token(root.token()).post("auth/token/revoke", json!({"token": reader.token()})).ok();
    eventually("the user is gone", || (!admits(&server, &name, &password)).then_some(()));

    // Those that nobody renews end by themselves.
    let (name, password, _) = credentials(&root);
    vault.advance(Duration::from_secs(601));
    eventually("the user is gone", || (!admits(&server, &name, &password)).then_some(()));
    assert_eq!(users(&server), 0);
    root.get("database/config/pg").ok();
    assert!(!root.get("database/config/pg").ok().text.contains(ADMIN_PASSWORD));
}

#[test]
fn a_mount_that_is_disabled_takes_its_users_with_it() {
    let server = Postgres::start();
    let vault = TestVault::new();
    let root = vault.root();
    configure(&root, &server, CREATE);
    let made: Vec<_> = (0..3).map(|_| credentials(&root)).collect();
    assert_eq!(users(&server), 3);
    root.delete("sys/mounts/database").ok();
    eventually("all users are gone", || (users(&server) == 0).then_some(()));
    eventually("all leases are gone", || (vault.lease_count() == 0).then_some(()));
    assert!(made.iter().all(|(name, password, _)| !admits(&server, name, password)));
}

#[test]
fn a_removal_that_was_cut_short_goes_on_after_a_restart() {
    let server = Postgres::start();
    let storage = Arc::new(MemoryStorage::new());
    let vault = Setup { storage: storage.clone(), ..Setup::default() }.start();
    let root = vault.root();
    configure(&root, &server, CREATE);
    let _made = credentials(&root);
    let uuid = root.get("sys/mounts").data()["database/"]["uuid"].as_str().unwrap().to_owned();
    let (shares, token) = (vault.shares.clone(), root.token().to_owned());
    // The database cannot be reached while the mount is disabled, and then the server is killed.
    server.stop();
    root.delete("sys/mounts/database").is(204);
    root.get("database/creds/app").is(404);
    vault.crash();
    server.resume();
    assert_eq!(users(&server), 1);

    let mut again = Setup { storage, ..Setup::default() }.start();
    again.adopt(&shares, &token);
    again.unseal();
    eventually("the user is gone", || (users(&server) == 0).then_some(()));
    let unsealed = again.unsealed();
    eventually("the mount is gone", || {
        again.run(unsealed.mounts.stored()).unwrap().iter().all(|entry| entry.uuid != uuid).then_some(())
    });
    assert!(again.run(unsealed.view(&format!("mount/{uuid}")).scan("")).unwrap().is_empty());
}

#[test]
fn what_was_made_right_before_a_crash_is_undone() {
    let server = Postgres::start();
    let storage = Arc::new(MemoryStorage::new());
    let vault = Setup { storage: storage.clone(), manual_clock: true, ..Setup::default() }.start();
    let root = vault.root();
    // The user is there at once; the statement after it keeps the request from coming to its end.
    configure(&root, &server, &format!("{CREATE} COMMIT; SELECT pg_sleep(60);"));
    let (shares, token) = (vault.shares.clone(), root.token().to_owned());
    let client = root.clone();
    let hanging = std::thread::spawn(move || client.try_send("GET", "database/creds/app", None));
    eventually("the intent is on record", || (vault.lease_count() == 1).then_some(()));
    eventually("the database is asked", || server.log().contains("CREATE ROLE").then_some(()));
    vault.crash();
    let _ = hanging.join();

    let mut again = Setup { storage, manual_clock: true, ..Setup::default() }.start();
    again.adopt(&shares, &token);
    again.unseal();
    assert_eq!(again.lease_count(), 1, "the intent survived");
    again.advance(Duration::from_secs(301));
    eventually("the intent is undone", || (again.lease_count() == 0).then_some(()));
    assert_eq!(users(&server), 0);
}

#[test]
fn what_fails_leaves_nothing() {
    let server = Postgres::start();
    let vault = TestVault::new();
    let root = vault.root();
    configure(&root, &server, &format!("{CREATE} SELECT nonsense;"));
    let answer = root.get("database/creds/app");
    assert!(answer.status >= 400, "{}", answer.text);
    assert!(!answer.text.contains(ADMIN_PASSWORD));
    // It is undone by the time that it is answered.
    root.list("sys/leases/lookup/database/creds").is(404);
    assert_eq!((users(&server), vault.lease_count()), (0, 0));
}

#[test]
fn a_token_that_ends_with_the_request_gets_no_credentials() {
    let server = Postgres::start();
    let vault = TestVault::new();
    let root = vault.root();
    configure(&root, &server, CREATE);
    let policy = "path \"database/creds/*\" { capabilities = [\"read\"] }";
    root.post("sys/policies/acl/app", json!({"policy": policy})).ok();
    let holder = |uses: u64| vault.with_token(json!({"policies": ["app"], "num_uses": uses}));
    holder(1).get("database/creds/app").refuses(400, "token had one use left");
    holder(1).with_header("x-vault-wrap-ttl", "60").get("database/creds/app").refuses(400, "token had one use left");
    holder(1).get("database/creds/none").refuses(400, "unknown role");
    assert!(!server.log().contains("CREATE ROLE \"v-"), "nothing is made that would have to be undone");
    let twice = holder(2);
    twice.get("database/creds/app").is(200);
    assert_eq!(users(&server), 1);
    twice.get("database/creds/app").refuses(400, "token had one use left");
    eventually("the token takes its user with it", || (users(&server) == 0).then_some(()));
}

#[test]
fn a_length_that_is_cut_short_is_told() {
    let server = Postgres::start();
    let vault = TestVault::new();
    let root = vault.root();
    configure(&root, &server, CREATE);
    let length = |terms: Value| {
        let mut role = json!({"db_name": "pg", "creation_statements": CREATE});
        role.as_object_mut().unwrap().extend(terms.as_object().unwrap().clone());
        root.post("database/roles/app", role).ok();
        let answer = root.get("database/creds/app").ok().json();
        (answer["lease_duration"].clone(), answer["warnings"][0].clone())
    };
    let capped = |asked: &str, bound: &str| {
        json!(format!("TTL of {asked:?} exceeded the effective max_ttl of {bound:?}; TTL value is capped accordingly"))
    };
    assert_eq!(length(json!({"default_ttl": "3h", "max_ttl": "1h"})), (json!(3600), capped("3h", "1h")));
    assert_eq!(length(json!({"default_ttl": "1h", "max_ttl": "3h"})), (json!(3600), Value::Null));
    assert_eq!(length(json!({"default_ttl": 0, "max_ttl": "1h"})), (json!(3600), capped("768h", "1h")));
    root.post("sys/mounts/database/tune", json!({"max_lease_ttl": "30m"})).ok();
    assert_eq!(length(json!({"default_ttl": "3h", "max_ttl": 0})), (json!(1800), capped("3h", "30m")));
    assert_eq!(length(json!({"default_ttl": 0})), (json!(1800), capped("768h", "30m")));
    root.post("sys/mounts/database/tune", json!({"default_lease_ttl": "10m"})).ok();
    assert_eq!(length(json!({})), (json!(600), Value::Null));
}

#[test]
fn lists_come_in_pages() {
    let server = Postgres::start();
    let vault = TestVault::new();
    let root = vault.root();
    configure(&root, &server, CREATE);
    root.post("database/config/pg", json!({"allowed_roles": "*"})).ok();
    for name in ["a", "b", "c"] {
        root.post(&format!("database/roles/{name}"), json!({"db_name": "pg", "creation_statements": CREATE})).ok();
        server.query(&format!("create role static_{name} login"));
        let role = json!({"db_name": "pg", "username": format!("static_{name}"), "rotation_period": "24h"});
        root.post(&format!("database/static-roles/s-{name}"), role).ok();
    }
    root.delete("database/roles/app").ok();
    for (folder, names) in [("database/roles", ["a", "b", "c"]), ("database/static-roles", ["s-a", "s-b", "s-c"])] {
        let page = |query: &str| root.get(&format!("{folder}?list=true{query}")).data()["keys"].clone();
        let [first, second, third] = names;
        assert_eq!(page("&limit=2"), json!([first, second]), "{folder}");
        assert_eq!(page(&format!("&after={first}&limit=1")), json!([second]), "{folder}");
        assert_eq!(page(&format!("&after={second}")), json!([third]), "{folder}");
        assert_eq!(page("&limit=0"), json!(names), "{folder}");
        root.get(&format!("{folder}?list=true&after={third}")).is(404);
    }
}

#[test]
fn a_client_that_hangs_up_leaves_nothing_half_done() {
    let server = Postgres::start();
    let vault = TestVault::new();
    let root = vault.root();
    configure(&root, &server, &format!("{CREATE} SELECT pg_sleep(1);"));
    let token = root.token();
    let mut wire = vault.wire();
    let request = format!("GET /v1/database/creds/app HTTP/1.1\r\nhost: x\r\nx-vault-token: {token}\r\n\r\n");
    wire.say(request.as_bytes()).unwrap();
    eventually("the database is asked", || server.log().contains("CREATE ROLE").then_some(()));
    drop(wire);
    eventually("the response is audited all the same", || {
        let log = vault.audit_log();
        let is_ours = |entry: &&Value| {
            entry["type"] == "response" && entry["request"]["path"] == "database/creds/app" && entry["error"].is_null()
        };
        log.iter().find(is_ours).map(|_| ())
    });
    // The user is there, and so is the lease that ends it.
    assert_eq!((users(&server), vault.lease_count()), (1, 1));
    root.post("sys/leases/revoke-prefix/database", json!({"sync": true})).ok();
    assert_eq!((users(&server), vault.lease_count()), (0, 0));
}

#[test]
fn whoever_revokes_hears_that_the_database_refuses() {
    let server = Postgres::start();
    let vault = TestVault::new();
    let root = vault.root();
    configure(&root, &server, CREATE);
    let role =
        json!({"db_name": "pg", "creation_statements": CREATE, "revocation_statements": "DROP ROLE \"hunter2\""});
    root.post("database/roles/app", role).ok();
    let (name, password, lease) = credentials(&root);
    for answer in [
        root.post("sys/leases/revoke", json!({"lease_id": lease})),
        root.post(&format!("sys/leases/revoke/{lease}"), json!({})),
        root.post("sys/leases/revoke-prefix/database/creds", json!({})),
    ] {
        let answer = answer.refuses(500, "database");
        for secret in ["hunter2", ADMIN_PASSWORD, &password, &name] {
            assert!(!answer.text.contains(secret), "{}", answer.text);
        }
    }
    assert_eq!((users(&server), vault.lease_count()), (1, 1));
    root.post(
        "database/roles/app",
        json!({"db_name": "pg", "creation_statements": CREATE, "revocation_statements": ""}),
    )
    .ok();
    root.post("sys/leases/revoke", json!({"lease_id": lease})).is(204);
    assert_eq!((users(&server), vault.lease_count()), (0, 0));
}
