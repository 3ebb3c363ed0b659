use serde_json::{Value, json};

use super::super::connections::Connection;
use super::Bench;
use crate::engine::Txn;
use crate::error::Kind;
use crate::secret::SecretText;

/// A database with a user `root_user` of its own for the connection `pg`.
async fn bench() -> Bench {
    let bench = Bench::start().await;
    bench.server.query("create role root_user with login superuser password 'first'");
    bench.connect("pg", json!({"username": "root_user", "password": "first"})).await.unwrap();
    bench.role("r", json!({})).await;
    bench
}

async fn record(bench: &Bench) -> Connection {
    bench.harness.view.get(&Connection::key("pg")).await.unwrap().unwrap()
}

/// The record as it is while a rotation to `password` runs, and after a crash during it.
async fn interrupted(bench: &Bench, password: &str) {
    let mut record = record(bench).await;
    record.pending_password = SecretText::new(password.to_owned());
    record.revision += 1;
    let mut txn = Txn::new();
    bench.harness.view.put(&mut txn, &Connection::key("pg"), &record).unwrap();
    bench.harness.view.commit(txn).await.unwrap();
}

#[tokio::test]
async fn the_old_password_ends_and_the_new_one_works() {
    let bench = bench().await;
    bench.user("r").await.unwrap();
    bench.write("rotate-root/pg", Value::Null).await.unwrap();
    assert!(!bench.admits("root_user", "first"));
    let rotated = record(&bench).await;
    assert!(rotated.pending_password.is_empty() && bench.admits("root_user", rotated.password.expose()));
    let user = bench.user("r").await.unwrap();
    assert!(bench.admits(&user.name, &user.password));
    bench.revoke(&user.lease).await.unwrap();
    bench.write("rotate-root/pg", Value::Null).await.unwrap();
    bench.write("reset/pg", Value::Null).await.unwrap();
    let bench = bench.restarted().await;
    bench.user("r").await.unwrap();
    assert!(!bench.admits("root_user", rotated.password.expose()));
}

#[tokio::test]
async fn no_crash_loses_the_password() {
    let bench = bench().await;
    bench.user("r").await.unwrap();

    // Recorded, and the database has not heard of it.
    interrupted(&bench, "second").await;
    let bench = bench.restarted().await;
    bench.user("r").await.unwrap();
    assert!(bench.admits("root_user", "second") && record(&bench).await.pending_password.is_empty());

    // The database has it, and the record does not say so.
    interrupted(&bench, "third").await;
    bench.server.query("alter role root_user password 'third'");
    let bench = bench.restarted().await;
    bench.user("r").await.unwrap();
    assert_eq!(record(&bench).await.password.expose(), "third");

    // The same while the server runs on, and when the connection is configured next.
    interrupted(&bench, "fourth").await;
    bench.server.query("alter role root_user password 'fourth'");
    bench.write("config/pg", json!({"allowed_roles": ["r"]})).await.unwrap();
    assert_eq!(record(&bench).await.password.expose(), "fourth");
    bench.user("r").await.unwrap();

    // Rotating again finishes the first rotation before.
    interrupted(&bench, "fifth").await;
    bench.write("rotate-root/pg", Value::Null).await.unwrap();
    let now = record(&bench).await;
    assert!(bench.admits("root_user", now.password.expose()) && !bench.admits("root_user", "fifth"));

    // Neither works: both are kept until an operator says what holds.
    interrupted(&bench, "sixth").await;
    bench.server.query("alter role root_user password 'by hand'");
    assert!(bench.user("r").await.is_err());
    let kept = record(&bench).await;
    assert!(!kept.pending_password.is_empty() && !kept.password.is_empty());
    bench.write("config/pg", json!({"password": "by hand"})).await.unwrap();
    bench.user("r").await.unwrap();
    assert!(record(&bench).await.pending_password.is_empty());
}

#[tokio::test]
async fn a_rotation_that_fails_changes_nothing() {
    let bench = bench().await;
    for statements in ["ALTER ROLE \"{{name}}\" PASSWORD '{{password}}'; SELECT bad", "COMMIT; SELECT 1", "SELECT 1"] {
        bench.write("config/pg", json!({"root_rotation_statements": statements})).await.unwrap();
        assert!(bench.write("rotate-root/pg", Value::Null).await.is_err());
        assert!(bench.admits("root_user", "first"));
        assert!(record(&bench).await.pending_password.is_empty());
    }
    bench.write("config/pg", json!({"root_rotation_statements": []})).await.unwrap();
    bench.server.stop();
    assert_eq!(bench.write("rotate-root/pg", Value::Null).await.unwrap_err().kind(), Kind::Unavailable);
    assert!(record(&bench).await.pending_password.is_empty());
    bench.server.resume();
    assert!(bench.admits("root_user", "first"));
    bench.user("r").await.unwrap();
}

#[tokio::test]
async fn rotations_and_requests_do_not_disturb_each_other() {
    let bench = bench().await;
    let rotate = async || bench.write("rotate-root/pg", Value::Null).await.unwrap();
    let ask = async || drop(bench.user("r").await.unwrap());
    tokio::join!(rotate(), ask(), rotate(), ask(), ask());
    assert!(bench.admits("root_user", record(&bench).await.password.expose()));
}
