//! Logins with a browser whose commit meets a conflict, so that the pipeline does the request again.

use serde_json::{Value, json};

use super::provider::{CLIENT, Provider, SECRET};
use super::{NOW, harness, write};
use crate::api::Operation;
use crate::auth::jwt::Jwt;
use crate::engine::harness::Harness;
use crate::engine::{Content, Txn};
use crate::error::Result;

const HERE: &str = "http://localhost:8250/oidc/callback";

/// A method whose provider this is, with the role `people`.
async fn bench(provider: &Provider, mode: &str) -> Harness<Jwt> {
    let harness = harness().await;
    let config = json!({
        "oidc_discovery_url": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET,
        "default_role": "people",
    });
    write(&harness, "config", config).await.unwrap();
    let role = json!({
        "role_type": "oidc", "user_claim": "sub", "allowed_redirect_uris": [HERE], "callback_mode": mode,
        "oidc_disable_confirmation": true,
    });
    write(&harness, "role/people", role).await.unwrap();
    harness
}

/// Begins a login, and has the browser come back: the state and the code.
async fn visit(harness: &Harness<Jwt>, provider: &Provider) -> (String, String) {
    let body = json!({"role": "people", "redirect_uri": HERE, "client_nonce": "mine"});
    let answer = harness.data(Operation::Write, "oidc/auth_url", body).await.unwrap();
    provider.visit(answer["auth_url"].as_str().unwrap(), &json!({}), NOW)
}

/// A request that is not committed; who logged in.
async fn attempt(harness: &Harness<Jwt>, operation: Operation, path: &str, body: &Value) -> Result<(String, Txn)> {
    let (answer, txn) = harness.attempt(operation, path, body.clone()).await?;
    let Content::Login(login) = answer.content else { panic!("not a login") };
    Ok((login.identity.alias, txn))
}

#[tokio::test]
async fn a_code_that_was_redeemed_is_good_until_the_login_is_committed() {
    let provider = Provider::start();
    let harness = bench(&provider, "client").await;
    let (state, code) = visit(&harness, &provider).await;
    let body = json!({"state": state, "code": code, "client_nonce": "mine"});
    let callback = async |body: &Value| attempt(&harness, Operation::Read, "oidc/callback", body).await;
    let (alias, txn) = callback(&body).await.unwrap();
    assert_eq!(alias, "ann");
    assert!(callback(&body).await.is_err(), "nobody else comes with it while it is not decided");
    drop(txn);
    let (alias, txn) = callback(&body).await.unwrap();
    assert_eq!((alias.as_str(), provider.requests("/token")), ("ann", 1));
    harness.view.commit(txn).await.unwrap();
    assert!(callback(&body).await.is_err(), "a login is one login");
}

#[tokio::test]
async fn only_the_same_code_is_good_again() {
    let provider = Provider::start();
    let harness = bench(&provider, "client").await;
    for other in [json!({"code": "another"}), json!({"code": null}), json!({"error": "access_denied"})] {
        let (state, code) = visit(&harness, &provider).await;
        let body = json!({"state": state, "code": code, "client_nonce": "mine"});
        let callback = async |body: &Value| attempt(&harness, Operation::Read, "oidc/callback", body).await;
        drop(callback(&body).await.unwrap());
        let mut changed = body.clone();
        changed.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        assert!(callback(&changed).await.is_err(), "{other}");
        assert!(callback(&body).await.is_err(), "{other}: the login is over");
    }
}

#[tokio::test]
async fn a_client_that_polls_gets_its_login_after_a_conflict() {
    let provider = Provider::start();
    let harness = bench(&provider, "direct").await;
    let (state, code) = visit(&harness, &provider).await;
    harness.call(Operation::Read, "oidc/callback", json!({"state": state, "code": code})).await.unwrap();
    let body = json!({"state": state, "client_nonce": "mine"});
    let poll = async || attempt(&harness, Operation::Write, "oidc/poll", &body).await;
    drop(poll().await.unwrap());
    let (alias, txn) = poll().await.unwrap();
    assert_eq!(alias, "ann");
    harness.view.commit(txn).await.unwrap();
    assert!(poll().await.is_err());
}
