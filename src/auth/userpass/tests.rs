use serde_json::{Value, json};

use super::Userpass;
use super::password::PasswordHash;
use super::users::{User, key};
use crate::api::Operation;
use crate::engine::harness::Harness;
use crate::engine::{AuthMethod, Client, Content, Existence, Identity, Login, TokenType, Txn};
use crate::error::{Error, Kind};

async fn harness() -> Harness<Userpass> {
    let mut harness: Harness<Userpass> = Harness::open(json!({})).await;
    harness.mount.path = "auth/userpass/".to_owned();
    harness
}

async fn write(harness: &Harness<Userpass>, path: &str, body: Value) -> Result<(), Error> {
    harness.call(Operation::Write, path, body).await.map(|_| ())
}

async fn log_in(harness: &Harness<Userpass>, name: &str, password: &str) -> Result<Login, Error> {
    let body = json!({"password": password});
    let answer = harness.call(Operation::Write, &format!("login/{name}"), body).await?;
    let Content::Login(login) = answer.content else { panic!("not a login") };
    Ok(*login)
}

const WRONG: &str = "invalid username or password";

#[tokio::test]
async fn users_log_in_whatever_the_case_of_their_name() {
    let harness = harness().await;
    let body = json!({"password": "correct-horse", "token_policies": "P1", "token_ttl": "10m"});
    write(&harness, "users/Alice", body).await.unwrap();
    for name in ["alice", "ALICE"] {
        let login = log_in(&harness, name, "correct-horse").await.unwrap();
        let Identity { alias, display_name, policies, metadata, .. } = login.identity;
        assert_eq!((alias.as_str(), display_name.as_str()), ("alice", "userpass-alice"));
        assert_eq!(policies, ["P1"]);
        assert_eq!(metadata["username"], "alice");
        assert_eq!((login.terms.ttl.seconds(), login.terms.token_type), (600, None));
    }
    for (name, password) in [("alice", "Correct-Horse"), ("nobody", "correct-horse")] {
        let error = log_in(&harness, name, password).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::InvalidRequest, WRONG));
    }
    assert_eq!(log_in(&harness, "alice", "").await.unwrap_err().to_string(), "missing password");
    assert!(write(&harness, "login/alice", json!({"password": {"x": 1}})).await.is_err());
}

#[tokio::test]
async fn users_are_written_read_listed_and_deleted() {
    let harness = harness().await;
    assert_eq!(harness.existence("users/alice").await, Existence::Absent);
    for body in [json!({}), json!({"password": ""}), json!({"password_hash": "x"}), json!({"token_ttl": "5m"})] {
        let error = write(&harness, "users/alice", body).await.unwrap_err();
        assert!(error.kind() == Kind::InvalidRequest && error.to_string().contains("password"));
    }
    let body = json!({"password": "a", "policies": "b,a", "ttl": 60, "bound_cidrs": "10.0.0.0/8"});
    write(&harness, "users/alice", body).await.unwrap();
    write(&harness, "users/bob", json!({"password": "b"})).await.unwrap();
    assert_eq!(harness.existence("users/ALICE").await, Existence::Exists);
    let read = harness.data(Operation::Read, "users/Alice", json!(null)).await.unwrap();
    assert_eq!((&read["policies"], &read["token_policies"]), (&json!(["a", "b"]), &json!(["a", "b"])));
    assert_eq!((&read["ttl"], &read["token_type"]), (&json!(60), &json!("default")));
    assert!(!read.to_string().contains("salt") && read.get("password").is_none());
    write(&harness, "users/alice/policies", json!({"token_policies": "Z"})).await.unwrap();
    write(&harness, "users/alice/policies", json!({})).await.unwrap();
    let read = harness.data(Operation::Read, "users/alice", json!(null)).await.unwrap();
    assert_eq!((read.get("policies"), &read["token_policies"]), (None, &json!(["z"])));
    let list = harness.data(Operation::List, "users", json!(null)).await.unwrap();
    assert_eq!(list, json!({"keys": ["alice", "bob"]}));
    harness.call(Operation::Delete, "users/ALICE", json!(null)).await.unwrap();
    let gone = harness.call(Operation::Read, "users/alice", json!(null)).await.unwrap_err();
    assert_eq!(gone.kind(), Kind::NotFound);
    assert_eq!(log_in(&harness, "alice", "a").await.unwrap_err().to_string(), WRONG);
}

#[tokio::test]
async fn passwords_are_changed_and_kept_as_hashes() {
    let harness = harness().await;
    write(&harness, "users/alice", json!({"password": "old-password"})).await.unwrap();
    write(&harness, "users/Alice/password", json!({"password": "new-password"})).await.unwrap();
    assert!(log_in(&harness, "alice", "old-password").await.is_err());
    assert!(log_in(&harness, "alice", "new-password").await.is_ok());
    // The case variant made no second user.
    assert_eq!(harness.view.scan("").await.unwrap(), ["user/alice"]);
    let user: User = harness.view.get(&key("alice")).await.unwrap().unwrap();
    assert!(!serde_json::to_string(&user).unwrap().contains("new-password"));
    for (path, body) in [
        ("users/nobody/password", json!({"password": "x"})),
        ("users/nobody/policies", json!({"token_policies": "x"})),
        ("users/alice/password", json!({"password": ""})),
        ("users/alice/password", json!({"password": "x".repeat(5000)})),
    ] {
        assert_eq!(write(&harness, path, body).await.unwrap_err().kind(), Kind::InvalidRequest, "{path}");
    }
}

#[tokio::test]
async fn wrong_passwords_under_any_spelling_lock_the_user_out() {
    let harness = harness().await;
    for name in ["bob", "eve"] {
        write(&harness, &format!("users/{name}"), json!({"password": "right"})).await.unwrap();
    }
    for name in ["Bob", "bob", "BOB", "bOb", "bob"] {
        assert_eq!(log_in(&harness, name, "wrong").await.unwrap_err().to_string(), WRONG);
        assert_eq!(log_in(&harness, "nobody", "wrong").await.unwrap_err().to_string(), WRONG);
    }
    for password in ["right", "wrong"] {
        let error = log_in(&harness, "bob", password).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Forbidden, "permission denied"));
    }
    // Nobody looks like a user, and is not told of as one.
    assert_eq!(log_in(&harness, "nobody", "wrong").await.unwrap_err().kind(), Kind::Forbidden);
    assert!(log_in(&harness, "eve", "right").await.is_ok());
    let now = harness.deps.clock.now();
    assert_eq!(harness.engine.lockouts().unwrap().locked_out(now), ["bob"]);
    harness.advance(15 * 60 + 1);
    assert!(log_in(&harness, "bob", "right").await.is_ok());
}

#[tokio::test]
async fn many_guesses_at_once_are_counted_as_one_after_the_other() {
    let harness = harness().await;
    write(&harness, "users/bob", json!({"password": "right"})).await.unwrap();
    let guesses = (0..12).map(|_| log_in(&harness, "bob", "wrong"));
    let outcomes = futures(guesses).await;
    let told = outcomes.iter().filter(|outcome| outcome.as_ref().unwrap_err().kind() == Kind::InvalidRequest);
    assert_eq!(told.count(), 5);
    assert_eq!(log_in(&harness, "bob", "right").await.unwrap_err().kind(), Kind::Forbidden);
}

/// Runs all of them at once.
async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = all.map(|one| Some(Box::pin(one))).collect();
    let mut done: Vec<Option<F::Output>> = pending.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (slot, outcome) in pending.iter_mut().zip(&mut done) {
            if let Some(future) = slot
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                (*slot, *outcome) = (None, Some(value));
            }
        }
        if pending.iter().all(Option::is_none) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn an_outdated_hash_is_replaced_by_a_login_and_nothing_else_is_written() {
    let harness = harness().await;
    write(&harness, "users/bob", json!({"password": "right", "token_ttl": 60})).await.unwrap();
    let mut user: User = harness.view.get(&key("bob")).await.unwrap().unwrap();
    user.password = PasswordHash::outdated("old");
    let mut txn = Txn::new();
    harness.view.put(&mut txn, &key("bob"), &user).unwrap();
    harness.view.commit(txn).await.unwrap();
    assert!(log_in(&harness, "bob", "wrong").await.is_err());
    assert_eq!(harness.view.get::<User>(&key("bob")).await.unwrap().unwrap(), user);
    assert!(log_in(&harness, "bob", "old").await.is_ok());
    let upgraded: User = harness.view.get(&key("bob")).await.unwrap().unwrap();
    assert!(!upgraded.password.is_outdated() && upgraded.token == user.token);
    assert!(log_in(&harness, "bob", "old").await.is_ok());
    assert_eq!(harness.view.get::<User>(&key("bob")).await.unwrap().unwrap(), upgraded);
}

#[tokio::test]
async fn addresses_and_kinds_of_token() {
    let mut harness = harness().await;
    let body = json!({"password": "x", "token_bound_cidrs": "10.0.0.0/8", "token_type": "batch"});
    write(&harness, "users/bob", body).await.unwrap();
    assert_eq!(log_in(&harness, "bob", "x").await.unwrap_err().kind(), Kind::Forbidden);
    assert_eq!(log_in(&harness, "bob", "wrong").await.unwrap_err().to_string(), WRONG);
    harness.client = Client { address: "10.1.2.3".parse().ok(), ..Client::default() };
    let login = log_in(&harness, "bob", "x").await.unwrap();
    assert_eq!(login.terms.token_type, Some(TokenType::Batch));
}

#[tokio::test]
async fn a_renewal_needs_the_user_and_the_policies() {
    let harness = harness().await;
    write(&harness, "users/bob", json!({"password": "x", "token_policies": "a,b"})).await.unwrap();
    let identity = log_in(&harness, "bob", "x").await.unwrap().identity;
    let renew = async || harness.engine.renew(&identity, &Client::default()).await.unwrap();
    write(&harness, "users/bob", json!({"token_ttl": 77, "password": "y"})).await.unwrap();
    assert_eq!(renew().await.unwrap().ttl.seconds(), 77);
    write(&harness, "users/bob/policies", json!({"token_policies": "a"})).await.unwrap();
    assert!(renew().await.is_none());
    write(&harness, "users/bob/policies", json!({"token_policies": "b,a"})).await.unwrap();
    assert!(renew().await.is_some());
    harness.call(Operation::Delete, "users/bob", json!(null)).await.unwrap();
    assert!(renew().await.is_none());
}
