//! Mounts of type `userpass`.

use serde_json::json;

use crate::support::TestVault;

#[test]
fn a_user_logs_in_with_a_password() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    root.post(
        "auth/userpass/users/Ann",
        json!({"password": "wide river", "token_policies": ["reader"], "token_ttl": "20m"}),
    )
    .ok();
    assert_eq!(root.list("auth/userpass/users").data()["keys"], json!(["ann"]));
    assert!(!root.get("auth/userpass/users/ann").ok().text.contains("river"));
    let client = vault.anonymous();
    let login = client.post("auth/userpass/login/ANN", json!({"password": "wide river"})).auth();
    assert_eq!((&login["policies"], &login["lease_duration"]), (&json!(["default", "reader"]), &json!(1200)));
    let unknown = client.post("auth/userpass/login/bob", json!({"password": "x"}));
    let wrong = client.post("auth/userpass/login/ann", json!({"password": "x"}));
    assert_eq!((unknown.status, &unknown.text), (wrong.status, &wrong.text), "nobody learns who has a user");
    assert_eq!(wrong.status, 400);
    root.post("auth/userpass/users/ann/password", json!({"password": "narrow road"})).ok();
    client.post("auth/userpass/login/ann", json!({"password": "wide river"})).is(400);
    client.post("auth/userpass/login/ann", json!({"password": "narrow road"})).is(200);
    root.delete("auth/userpass/users/ann").ok();
    client.post("auth/userpass/login/ann", json!({"password": "narrow road"})).is(400);
}

#[test]
fn a_login_changes_only_with_the_user() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    root.post("auth/userpass/users/ann", json!({"password": "wide river", "token_policies": ["one"]})).ok();
    let ann = vault.login("auth/userpass/login/ann", json!({"password": "wide river"}));
    ann.post("auth/token/renew-self", json!({})).is(200);
    root.post("auth/userpass/users/ann/policies", json!({"token_policies": ["two"]})).ok();
    ann.post("auth/token/renew-self", json!({})).is(400);
    ann.get("auth/token/lookup-self").is(200);
}
