use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::postgres::Postgres;
use super::{ADMIN_PASSWORD, Bench, CREATE, Database, everything};
use crate::api::{ApiPath, Operation, Ttl};
use crate::engine::{Body, Content, Cx, CxParts, Engine, Existence, Intent, Intents, Mount, Renewal, SecretsEngine};
use crate::error::{Error, Kind, Result};
use crate::secret::SecretJson;

#[tokio::test]
async fn a_user_lives_from_its_creation_to_its_revocation() {
    let bench = Bench::configured().await;
    let answer = bench.harness.call(Operation::Read, "creds/r", Value::Null).await.unwrap();
    let Content::Data { lease: Some(lease), .. } = answer.content else { panic!("no lease") };
    assert_eq!((lease.ttl, lease.max_ttl), (Ttl::from_seconds(600), Ttl::from_seconds(3600)));
    assert!(lease.renewable && lease.intent.is_some());
    assert!(!lease.data.expose().contains("password"), "a lease needs no password");

    let user = bench.user("r").await.unwrap();
    let parts: Vec<_> = user.name.split('-').collect();
    assert_eq!((parts[0], parts[1], parts[2], parts[3].len(), parts.len()), ("v", "token", "r", 20, 5));
    assert!(bench.admits(&user.name, &user.password));
    assert!(!bench.admits(&user.name, "wrong"));

    let valid_until = || {
        let query = "select extract(epoch from rolvaliduntil)::bigint from pg_roles where rolname = ";
        bench.server.query(&format!("{query}'{}'", user.name)).parse::<i64>().unwrap()
    };
    let now = bench.harness.deps.clock.now();
    assert_eq!(valid_until(), now.unix_seconds() + 605);
    let renewal = bench.harness.engine.renew(&user.lease, now.plus(Duration::from_mins(30))).await.unwrap();
    assert_eq!(renewal, Renewal::Terms { ttl: Ttl::from_seconds(600), max_ttl: Ttl::from_seconds(3600) });
    assert_eq!(valid_until(), now.unix_seconds() + 1805);
    bench.harness.engine.renew(&user.lease, now.plus(Duration::from_hours(9))).await.unwrap();
    assert_eq!(valid_until(), now.unix_seconds() + 3605, "no longer than the role allows");

    bench.revoke(&user.lease).await.unwrap();
    assert!(!bench.admits(&user.name, &user.password));
    assert!(!bench.has_user(&user.name));
    bench.revoke(&user.lease).await.unwrap();
    assert!(bench.harness.engine.renew(&user.lease, now).await.is_err());
}

#[tokio::test]
async fn a_user_past_a_maximum_that_was_shortened_is_let_in_until_its_lease_ends() {
    let bench = Bench::configured().await;
    let user = bench.user("r").await.unwrap();
    bench.write("roles/r", json!({"max_ttl": "15m"})).await.unwrap();
    bench.harness.advance(15 * 60);
    let query = format!("select rolvaliduntil from pg_roles where rolname = '{}'", user.name);
    let before = bench.server.query(&query);
    let until = bench.harness.deps.clock.now().plus(Duration::from_mins(30));
    let error = bench.harness.engine.renew(&user.lease, until).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidRequest);
    assert!(error.to_string().contains("past the max TTL"), "{error}");
    assert_eq!(bench.server.query(&query), before);
}

#[tokio::test]
async fn roles_are_written_read_listed_and_deleted() {
    let bench = Bench::start().await;
    assert_eq!(bench.harness.existence("roles/r").await, Existence::Absent);
    bench.role("r", json!({"credential_config": {"password_policy": "p"}})).await;
    assert_eq!(bench.harness.existence("roles/r").await, Existence::Exists);
    let expected = json!({
        "db_name": "pg", "default_ttl": 600, "max_ttl": 3600, "creation_statements": [CREATE], "renew_statements": [],
        "revocation_statements": [], "rollback_statements": [], "credential_type": "password",
        "credential_config": {"password_policy": "p"},
    });
    assert_eq!(bench.read("roles/r").await.unwrap(), expected);
    bench.write("roles/r", json!({"max_ttl": 60, "credential_config": {}})).await.unwrap();
    let changed = bench.read("roles/r").await.unwrap();
    assert_eq!((&changed["max_ttl"], &changed["db_name"]), (&json!(60), &json!("pg")));
    assert!(changed.get("credential_config").is_none());
    assert_eq!(bench.list("roles").await.unwrap(), json!(["r"]));
    for body in [json!({}), json!({"db_name": ""}), json!({"db_name": "pg", "credential_type": "rsa_private_key"})] {
        assert_eq!(bench.write("roles/bad", body).await.unwrap_err().kind(), Kind::InvalidRequest);
    }
    bench.harness.call(Operation::Delete, "roles/r", Value::Null).await.unwrap();
    assert_eq!(bench.read("roles/r").await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn what_cannot_be_made_is_said_and_leaves_nothing() {
    let bench = Bench::configured().await;
    bench.role("fails", json!({"creation_statements": [CREATE, "SELECT 'a;b'; SELECT bad"]})).await;
    bench.role("nothing", json!({"creation_statements": []})).await;
    bench.role("nowhere", json!({"db_name": "nosuch"})).await;
    bench.role("cut-off", json!({"creation_statements": "CREATE ROLE \"{{name}}"})).await;
    for (role, kind, reason) in [
        ("unknown", Kind::InvalidRequest, "unknown role"),
        ("fails", Kind::Internal, "42703"),
        ("nothing", Kind::InvalidRequest, "empty creation statements"),
        ("nowhere", Kind::InvalidRequest, "failed to find entry for connection"),
        ("cut-off", Kind::InvalidRequest, "within a quote"),
    ] {
        let error = bench.user(role).await.err().unwrap();
        assert_eq!(error.kind(), kind, "{role}");
        assert!(error.to_string().contains(reason), "{role}: {error}");
        assert!(!everything(&error).contains(ADMIN_PASSWORD));
    }
    assert_eq!(bench.server.query("select count(*) from pg_roles where rolname like 'v-%'"), "0");
    bench.write("config/pg", json!({"allowed_roles": "app-*"})).await.unwrap();
    assert!(bench.user("r").await.err().unwrap().to_string().contains("not an allowed role"));
}

#[tokio::test]
async fn hostile_names_stay_names() {
    let mut bench = Bench::configured().await;
    bench.server.query("create role victim with login password 'x'");
    bench.write("config/pg", json!({"username_template": "{{.DisplayName}}{{random 4}}"})).await.unwrap();
    for hostile in
        ["x\"; DROP ROLE victim; --", "x'; DROP ROLE victim; --", "x\\\"; DROP ROLE victim; /*", "{{password}}"]
    {
        hostile.clone_into(&mut bench.harness.caller.display_name);
        let user = bench.user("r").await.unwrap();
        assert!(user.name.starts_with(hostile) && bench.has_user(&user.name), "{}", user.name);
        assert!(bench.admits(&user.name, &user.password));
        bench.harness.engine.renew(&user.lease, bench.harness.deps.clock.now()).await.unwrap();
        bench.revoke(&user.lease).await.unwrap();
        assert!(!bench.has_user(&user.name) && bench.has_user("victim"));
    }
    bench.role("r", json!({"creation_statements": "DO $$ BEGIN EXECUTE 'CREATE ROLE \"{{name}}\"'; END $$"})).await;
    assert!(bench.user("r").await.is_err(), "a body takes harmless names only");
    "harmless".clone_into(&mut bench.harness.caller.display_name);
    let user = bench.user("r").await.unwrap();
    assert!(bench.has_user(&user.name));
}

#[tokio::test]
async fn a_name_that_is_taken_is_left_alone() {
    let bench = Bench::configured().await;
    bench.server.query("create role app with login password 'x'");
    bench.write("config/pg", json!({"username_template": "app"})).await.unwrap();
    let error = bench.user("r").await.err().unwrap();
    assert!(error.to_string().contains("a user that exists"), "{error}");
    assert!(bench.admits("app", "x"));
    bench
        .write("config/pg", json!({"username_template": format!("{{{{random 2}}}}{}", "x".repeat(100))}))
        .await
        .unwrap();
    let user = bench.user("r").await.unwrap();
    assert_eq!(user.name.len(), 63);
    assert!(bench.admits(&user.name, &user.password));
}

#[tokio::test]
async fn with_scram_the_database_never_sees_a_password() {
    let bench = Bench::configured().await;
    let user = bench.user("r").await.unwrap();
    assert!(bench.server.log().contains(&user.password), "without it, it does");
    bench.write("config/pg", json!({"password_authentication": "scram-sha-256"})).await.unwrap();
    let user = bench.user("r").await.unwrap();
    assert!(!bench.server.log().contains(&user.password));
    assert!(bench.admits(&user.name, &user.password));
}

#[tokio::test]
async fn a_database_that_went_away_is_found_again() {
    let bench = Bench::configured().await;
    let user = bench.user("r").await.unwrap();
    bench.server.stop();
    let error = bench.user("r").await.err().unwrap();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert!(bench.revoke(&user.lease).await.is_err());
    bench.server.resume();
    let other = bench.user("r").await.unwrap();
    assert!(bench.admits(&other.name, &other.password) && bench.admits(&user.name, &user.password));
    bench.revoke(&user.lease).await.unwrap();
    assert!(!bench.has_user(&user.name));
}

#[tokio::test]
async fn a_connection_that_hangs_is_replaced() {
    let bench = Bench::configured().await;
    bench.user("r").await.unwrap();
    let backend = bench.server.query("select pid from pg_stat_activity where application_name = 'arca'");
    let signal = |name: &str| Command::new("kill").args([name, &backend]).status().unwrap().success();
    assert!(signal("-STOP"));
    let user = bench.user("r").await;
    assert!(signal("-CONT"));
    let user = user.unwrap();
    assert!(bench.admits(&user.name, &user.password));
}

#[tokio::test]
async fn connections_are_few_and_used_again() {
    let bench = Bench::configured().await;
    bench.write("config/pg", json!({"max_open_connections": 2})).await.unwrap();
    let user = async || bench.user("r").await.is_ok();
    assert_eq!(tokio::join!(user(), user(), user(), user(), user()), (true, true, true, true, true));
    let open = || bench.server.query("select count(*) from pg_stat_activity where application_name = 'arca'");
    assert_eq!(open(), "2");
    bench.user("r").await.unwrap();
    assert_eq!(open(), "2");
    bench.write("reset/pg", Value::Null).await.unwrap();
    // The database notices when its next read ends.
    while open() != "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Notes what was in the database when the intent was recorded.
struct Watching<'a> {
    server: &'a Postgres,
    seen: Mutex<Option<(SecretJson, String)>>,
    fails: bool,
}

#[async_trait]
impl Intents for Watching<'_> {
    async fn record(&self, _: &Mount, _: &ApiPath, data: SecretJson) -> Result<Intent> {
        if self.fails {
            return Err(Error::internal("no intent"));
        }
        let users = self.server.query("select count(*) from pg_roles where rolname like 'v-%'");
        *self.seen.lock().unwrap() = Some((data, users));
        Ok(Intent { lease_id: "test/creds/r/intended".to_owned() })
    }
}

async fn ask(bench: &Bench, intents: &dyn Intents) -> Result<Content> {
    let harness = &bench.harness;
    let path = ApiPath::parse("test/creds/r").unwrap();
    let mut cx = Cx::new(CxParts {
        token: None,
        caller: Some(&harness.caller),
        client: &harness.client,
        mount: &harness.mount,
        path: &path,
        deps: &harness.deps,
        intents,
    });
    let routes = Database::routes();
    let hit = routes.resolve(Operation::Read, "creds/r").found().unwrap();
    Ok(routes.call(&harness.engine, &hit, &Body::default(), &mut cx).await?.content)
}

#[tokio::test]
async fn the_intent_is_recorded_before_the_user_is_made() {
    let bench = Bench::configured().await;
    let watching = Watching { server: &bench.server, seen: Mutex::default(), fails: false };
    let content = ask(&bench, &watching).await.unwrap();
    let Content::Data { lease: Some(lease), .. } = content else { panic!("no lease") };
    assert_eq!(lease.intent.unwrap().lease_id, "test/creds/r/intended");
    let (data, users_before) = watching.seen.into_inner().unwrap().unwrap();
    assert_eq!(users_before, "0");
    assert_eq!(data.expose(), lease.data.expose(), "the intent is all that a revocation needs");

    let failing = Watching { server: &bench.server, seen: Mutex::default(), fails: true };
    assert!(ask(&bench, &failing).await.is_err());
    assert_eq!(bench.server.query("select count(*) from pg_roles where rolname like 'v-%'"), "1");
}
