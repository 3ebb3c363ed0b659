use serde_json::{Value, json};

use super::super::static_roles::StaticRole;
use super::{Bench, everything};
use crate::api::Operation;
use crate::engine::{Engine, Existence, Txn};
use crate::error::Kind;
use crate::secret::SecretText;

/// A database with a user `app`, whose password is "first", and the connection `pg`.
async fn bench() -> Bench {
    let bench = Bench::configured().await;
    bench.server.query("create role app with login password 'first'");
    bench
}

fn body(changes: Value) -> Value {
    super::merged(json!({"db_name": "pg", "username": "app", "rotation_period": "24h"}), changes)
}

async fn password(bench: &Bench) -> String {
    bench.read("static-creds/s").await.unwrap()["password"].as_str().unwrap().to_owned()
}

async fn maintain(bench: &Bench) {
    bench.harness.engine.maintain(bench.harness.deps.clock.now()).await.unwrap();
}

#[tokio::test]
async fn a_password_is_taken_over_and_rotated() {
    let bench = bench().await;
    assert_eq!(bench.harness.existence("static-roles/s").await, Existence::Absent);
    assert_eq!(bench.write("static-roles/s", body(json!({}))).await.unwrap(), Value::Null);
    assert_eq!(bench.harness.existence("static-roles/s").await, Existence::Exists);
    assert!(!bench.admits("app", "first"));
    let expected = json!({
        "db_name": "pg", "username": "app", "rotation_period": 86400, "rotation_statements": [],
        "credential_type": "password", "last_vault_rotation": "2027-01-15T08:00:00Z",
    });
    assert_eq!(bench.read("static-roles/s").await.unwrap(), expected);
    assert_eq!(bench.list("static-roles").await.unwrap(), json!(["s"]));
    bench.harness.advance(60);
    let creds = bench.read("static-creds/s").await.unwrap();
    assert_eq!((&creds["username"], &creds["ttl"]), (&json!("app"), &json!(86_340)));
    assert_eq!(
        (&creds["rotation_period"], &creds["last_vault_rotation"]),
        (&json!(86_400), &expected["last_vault_rotation"])
    );
    let first = creds["password"].as_str().unwrap();
    assert!(bench.admits("app", first));
    bench.write("rotate-role/s", Value::Null).await.unwrap();
    let second = password(&bench).await;
    assert!(!bench.admits("app", first) && bench.admits("app", &second));
    bench.harness.call(Operation::Delete, "static-roles/s", Value::Null).await.unwrap();
    assert_eq!(bench.read("static-creds/s").await.unwrap_err().kind(), Kind::InvalidRequest);
    assert_eq!(bench.write("rotate-role/s", Value::Null).await.unwrap_err().kind(), Kind::InvalidRequest);
    assert!(bench.admits("app", &second), "the user stays");
}

#[tokio::test]
async fn what_cannot_be_rotated_is_no_role() {
    let bench = bench().await;
    for (changes, kind, reason) in [
        (json!({"username": "nobody"}), Kind::Internal, "42704"),
        (json!({"username": "a\"; DROP ROLE app; --"}), Kind::Internal, "42704"),
        (json!({"rotation_period": "1s"}), Kind::InvalidRequest, "5 seconds"),
        (json!({"rotation_period": null}), Kind::InvalidRequest, "rotation_period is required"),
        (json!({"rotation_schedule": "0 0 * * *"}), Kind::InvalidRequest, "not both"),
        (json!({"rotation_period": null, "rotation_schedule": "x"}), Kind::InvalidRequest, "cron expression"),
        (json!({"db_name": "nosuch"}), Kind::InvalidRequest, "failed to find entry"),
        (json!({"username": ""}), Kind::InvalidRequest, "username is a required field"),
        (json!({"rotation_statements": "SELECT bad"}), Kind::Internal, "42703"),
    ] {
        let error = bench.write("static-roles/s", body(changes.clone())).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{changes}: {}", everything(&error));
        assert!(error.to_string().contains(reason), "{changes}: {error}");
        assert!(bench.list("static-roles").await.is_err(), "{changes}");
    }
    assert!(bench.admits("app", "first"), "nothing was changed");
    assert!(bench.write("static-roles/r", body(json!({}))).await.is_err(), "a role has that name");
    bench.write("static-roles/s", body(json!({}))).await.unwrap();
    assert!(bench.write("static-roles/s", body(json!({"username": "other"}))).await.is_err());
    assert!(bench.write("roles/s", json!({"db_name": "pg"})).await.is_err(), "a static role has that name");
}

#[tokio::test]
async fn what_is_due_is_rotated_by_itself() {
    let bench = bench().await;
    bench.write("static-roles/s", body(json!({"rotation_period": "1h"}))).await.unwrap();
    let first = password(&bench).await;
    maintain(&bench).await;
    bench.harness.advance(3599);
    maintain(&bench).await;
    assert_eq!(password(&bench).await, first);
    bench.harness.advance(1);
    maintain(&bench).await;
    let second = password(&bench).await;
    assert!(second != first && bench.admits("app", &second));
    maintain(&bench).await;
    assert_eq!(password(&bench).await, second);

    // A shorter period counts from the last rotation.
    bench.write("static-roles/s", json!({"rotation_period": 60})).await.unwrap();
    bench.harness.advance(60);
    maintain(&bench).await;
    let third = password(&bench).await;
    assert_ne!(third, second);

    // A database that is away is asked again later.
    bench.server.stop();
    bench.harness.advance(60);
    maintain(&bench).await;
    assert_eq!(password(&bench).await, third, "nothing is pending: the database was not reached");
    bench.server.resume();
    maintain(&bench).await;
    assert_eq!(password(&bench).await, third, "it is left alone for a while");
    bench.harness.advance(10);
    maintain(&bench).await;
    assert_ne!(password(&bench).await, third);
}

#[tokio::test]
async fn schedules_have_windows() {
    let bench = bench().await;
    // It is 08:00 on 15 January 2027.
    let schedule = json!({"rotation_period": null, "rotation_schedule": "0 12 * * *", "rotation_window": "1h"});
    bench.write("static-roles/s", body(schedule)).await.unwrap();
    let shown = bench.read("static-roles/s").await.unwrap();
    assert_eq!((&shown["rotation_schedule"], &shown["rotation_window"]), (&json!("0 12 * * *"), &json!(3600)));
    assert!(shown.get("rotation_period").is_none());
    let creds = bench.read("static-creds/s").await.unwrap();
    assert_eq!(creds["ttl"], json!(4 * 3600));
    let first = creds["password"].clone();
    bench.harness.advance(5 * 3600 + 60);
    maintain(&bench).await;
    let creds = bench.read("static-creds/s").await.unwrap();
    assert_eq!((&creds["password"], &creds["ttl"]), (&first, &json!(23 * 3600 - 60)), "the window was missed");
    bench.harness.advance(23 * 3600);
    maintain(&bench).await;
    assert_ne!(bench.read("static-creds/s").await.unwrap()["password"], first);
}

/// The record as it is while a rotation to `pending` runs, and after a crash during it.
async fn interrupted(bench: &Bench, pending: &str) {
    let view = &bench.harness.view;
    let mut role = record(bench).await;
    role.pending_password = SecretText::new(pending.to_owned());
    let mut txn = Txn::new();
    view.put(&mut txn, &StaticRole::key("s"), &role).unwrap();
    view.commit(txn).await.unwrap();
}

async fn record(bench: &Bench) -> StaticRole {
    bench.harness.view.get(&StaticRole::key("s")).await.unwrap().unwrap()
}

#[tokio::test]
async fn no_crash_loses_a_password() {
    let bench = bench().await;
    bench.write("static-roles/s", body(json!({}))).await.unwrap();
    // Recorded, and the database has not heard of it.
    interrupted(&bench, "second").await;
    let bench = bench.restarted().await;
    assert_eq!(password(&bench).await, "second");
    assert!(bench.admits("app", "second"));
    // The database has it, and the record does not say so: the next round finishes it.
    interrupted(&bench, "third").await;
    bench.server.query("alter role app password 'third'");
    let bench = bench.restarted().await;
    maintain(&bench).await;
    bench.server.stop();
    assert_eq!(password(&bench).await, "third", "nobody has to ask the database any more");
}

#[tokio::test]
async fn an_attempt_that_fails_does_not_undo_the_one_before_it() {
    let bench = bench().await;
    bench.write("static-roles/s", body(json!({}))).await.unwrap();
    // The database has it, and its answer was lost.
    interrupted(&bench, "second").await;
    bench.server.query("alter role app password 'second'");
    bench.server.stop();
    assert_eq!(bench.write("rotate-role/s", Value::Null).await.unwrap_err().kind(), Kind::Unavailable);
    maintain(&bench).await;
    assert!(bench.read("static-creds/s").await.is_err(), "nobody knows which password holds");
    bench.server.resume();
    bench.write("static-roles/s", json!({"rotation_statements": "SELECT bad"})).await.unwrap();
    assert_eq!(bench.write("rotate-role/s", Value::Null).await.unwrap_err().kind(), Kind::Internal);
    bench.write("static-roles/s", json!({"rotation_statements": []})).await.unwrap();
    assert_eq!(password(&bench).await, "second");
    assert!(bench.admits("app", "second"));
}

#[tokio::test]
async fn a_password_counts_for_the_database_that_has_it() {
    let bench = bench().await;
    bench.connect("other", json!({})).await.unwrap();
    bench.write("static-roles/s", body(json!({}))).await.unwrap();
    bench.server.query("create table go (at int)");
    let waits = "create function wait() returns void language plpgsql as $$ begin \
                 while not exists (select 1 from go) loop perform pg_sleep(0.01); end loop; end $$";
    bench.server.query(waits);
    let statements = json!(["SELECT wait()", "ALTER ROLE \"{{name}}\" PASSWORD '{{password}}'"]);
    bench.write("static-roles/s", json!({"rotation_statements": statements})).await.unwrap();
    let before = record(&bench).await;
    let moves = async {
        while !record(&bench).await.is_unsettled() {
            tokio::task::yield_now().await;
        }
        bench.write("static-roles/s", json!({"db_name": "other", "rotation_statements": []})).await.unwrap();
        bench.server.query("insert into go values (1)");
    };
    let (rotated, ()) = tokio::join!(bench.write("rotate-role/s", Value::Null), moves);
    assert_eq!(rotated.unwrap_err().kind(), Kind::Unavailable);
    let after = record(&bench).await;
    assert_eq!((after.password.expose(), after.last_rotation), (before.password.expose(), before.last_rotation));
    assert!(after.is_unsettled(), "the other database has not heard of it");
    let password = password(&bench).await;
    assert_eq!(password, after.pending_password.expose());
    assert!(bench.admits("app", &password));
}
