//! What the tokens of logins are like, whatever the method.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Client, Setup, TestVault};

/// A mount of `userpass` at `up/`, tuned so.
fn enabled(vault: &TestVault, config: &Value) {
    vault.root().post("sys/auth/up", json!({"type": "userpass", "config": config})).ok();
}

/// What is said to a login of a user whose tokens are to be like this.
fn log_in(vault: &TestVault, mut user: Value) -> Answer {
    user["password"] = json!("wide river");
    vault.root().post("auth/up/users/ann", user).ok();
    vault.anonymous().post("auth/up/login/ann", json!({"password": "wide river"})).is(200)
}

fn holder(vault: &TestVault, login: &Answer) -> Client {
    vault.anonymous().with_token(login.json()["auth"]["client_token"].as_str().unwrap())
}

/// The length and the warnings.
fn granted(answer: &Answer) -> (u64, Value) {
    let answer = answer.json();
    (answer["auth"]["lease_duration"].as_u64().unwrap(), answer["warnings"].clone())
}

fn capped(what: &str, wanted: &str, bound: &str) -> Value {
    json!([format!(
        "{what} of \"{wanted}\" exceeded the effective max_ttl of \"{bound}\"; {what} value is capped accordingly"
    )])
}

#[test]
fn no_period_is_longer_than_the_mount_allows() {
    let vault = Setup::manual_clock().start();
    enabled(&vault, &json!({"default_lease_ttl": "5m", "max_lease_ttl": "10m"}));
    let login = log_in(&vault, json!({"token_period": "24h"}));
    assert_eq!(granted(&login), (600, capped("period", "24h", "10m")));
    let ann = holder(&vault, &login);
    assert_eq!(ann.get("auth/token/lookup-self").data()["period"], 86400);
    for _ in 0..3 {
        vault.advance(Duration::from_mins(8));
        let renewed = ann.post("auth/token/renew-self", json!({"increment": "1h"})).is(200);
        assert_eq!(granted(&renewed), (600, capped("period", "24h", "10m")));
    }
    for (user, length, said) in [
        (json!({"token_max_ttl": "3m"}), 180, capped("period", "24h", "3m")),
        (json!({"token_max_ttl": 0, "token_explicit_max_ttl": "4m"}), 240, capped("period", "24h", "4m")),
        (json!({"token_explicit_max_ttl": 0, "token_period": "2m"}), 120, Value::Null),
    ] {
        assert_eq!(granted(&log_in(&vault, user)), (length, said));
    }
}

#[test]
fn a_batch_token_of_a_login_has_no_period() {
    let vault = TestVault::new();
    enabled(&vault, &json!({"max_lease_ttl": "10m", "token_type": "batch"}));
    let login = log_in(&vault, json!({"token_period": "24h", "token_num_uses": 3}));
    assert_eq!(granted(&login), (600, capped("period", "24h", "10m")));
    let shown = holder(&vault, &login).get("auth/token/lookup-self").data();
    assert_eq!((&shown["period"], &shown["type"]), (&Value::Null, &json!("batch")));
}

#[test]
fn warnings_say_what_was_asked_for_and_what_is_left() {
    let vault = Setup::manual_clock().start();
    enabled(&vault, &json!({}));
    let login = log_in(&vault, json!({}));
    assert_eq!(granted(&login), (2_764_800, Value::Null));
    let ann = holder(&vault, &login);
    vault.advance(Duration::from_millis(20));
    assert_eq!(granted(&ann.post("auth/token/renew-self", json!({}))), (2_764_800, Value::Null));
    for user in [json!({"token_explicit_max_ttl": "30m"}), json!({"token_explicit_max_ttl": 0, "token_max_ttl": "30m"})]
    {
        let login = log_in(&vault, user);
        assert_eq!(granted(&login), (1800, capped("TTL", "768h", "30m")));
        let ann = holder(&vault, &login);
        vault.advance(Duration::from_mins(1));
        assert_eq!(granted(&ann.post("auth/token/renew-self", json!({}))), (1740, capped("TTL", "768h", "29m")));
        let renewed = ann.post("auth/token/renew-self", json!({"increment": "1h"}));
        assert_eq!(granted(&renewed), (1740, capped("TTL", "1h", "29m")));
    }
}

#[test]
fn a_token_past_a_maximum_that_was_shortened_is_refused_and_lives_on() {
    let vault = Setup::manual_clock().start();
    enabled(&vault, &json!({}));
    let ann = holder(&vault, &log_in(&vault, json!({"token_ttl": "1h"})));
    vault.root().post("auth/up/users/ann", json!({"token_ttl": 0, "token_max_ttl": "1m"})).ok();
    vault.advance(Duration::from_mins(2));
    ann.post("auth/token/renew-self", json!({})).refuses(400, "past the max TTL");
    assert_eq!(ann.get("auth/token/lookup-self").data()["ttl"], 3480);
}

#[test]
fn the_mount_says_of_what_kind_tokens_are_where_the_role_does_not() {
    let vault = TestVault::new();
    enabled(&vault, &json!({}));
    for (mount, kinds) in [
        ("default-service", ["service", "service", "batch"]),
        ("default-batch", ["batch", "service", "batch"]),
        ("service", ["service"; 3]),
        ("batch", ["batch"; 3]),
    ] {
        vault.root().post("sys/auth/up/tune", json!({"token_type": mount})).ok();
        for (role, kind) in ["default", "service", "batch"].into_iter().zip(kinds) {
            let auth = log_in(&vault, json!({"token_type": role})).auth();
            let shown = (&auth["token_type"], &auth["renewable"]);
            assert_eq!(shown, (&json!(kind), &json!(kind == "service")), "{mount}, {role}");
        }
    }
}

#[test]
fn a_token_can_be_bound_to_the_address_that_it_was_got_from() {
    let vault = Setup { proxied: true, ..Setup::default() }.start();
    let from = |client: &Client, address: &str| client.with_header("x-forwarded-for", address);
    let root = from(&vault.root(), "10.1.1.1");
    root.post("sys/auth/up", json!({"type": "userpass"})).ok();
    root.post("auth/up/users/ann", json!({"password": "wide river", "token_strictly_bind_ip": true})).ok();
    assert_eq!(root.get("auth/up/users/ann").data()["token_strictly_bind_ip"], true);
    root.post("auth/up/users/ann", json!({"token_bound_cidrs": "10.0.0.0/8"})).refuses(400, "conflicts");
    let client = from(&vault.anonymous(), "10.1.2.3");
    let login = client.post("auth/up/login/ann", json!({"password": "wide river"})).auth();
    let ann = client.with_token(login["client_token"].as_str().unwrap());
    assert_eq!(ann.get("auth/token/lookup-self").data()["bound_cidrs"], json!(["10.1.2.3"]));
    ann.post("auth/token/renew-self", json!({})).is(200);
    from(&ann, "10.1.2.4").get("auth/token/lookup-self").is(403);
    from(&ann, "10.1.2.4").post("auth/token/renew-self", json!({})).is(403);
}

#[test]
fn the_role_id_of_a_bound_login_is_proof_from_one_address() {
    let vault = Setup { proxied: true, ..Setup::default() }.start();
    let from = |client: &Client, address: &str| client.with_header("x-forwarded-for", address);
    let root = from(&vault.root(), "10.1.1.1");
    root.post("sys/auth/approle", json!({"type": "approle"})).ok();
    root.post("auth/approle/role/app", json!({"role_id": "app", "token_strictly_bind_ip": true})).ok();
    let bound = root.post("auth/approle/role/app/secret-id", json!({"token_bound_cidrs": "10.9.0.0/16"})).data();
    let login = |address: &str, secret: &Value| {
        let body = json!({"role_id": "app", "secret_id": secret["secret_id"]});
        from(&vault.anonymous(), address).post("auth/approle/login", body)
    };
    login("10.1.2.3", &bound).refuses(400, "unauthorized");
    for (address, secret) in
        [("10.9.2.3", &bound), ("10.1.2.3", &root.post("auth/approle/role/app/secret-id", json!({})).data())]
    {
        let token = login(address, secret).auth()["client_token"].take();
        let app = from(&vault.anonymous(), address).with_token(token.as_str().unwrap());
        assert_eq!(app.get("auth/token/lookup-self").data()["bound_cidrs"], json!([address]));
        from(&app, "10.9.2.4").get("auth/token/lookup-self").is(403);
    }
}

#[test]
fn numbers_and_null_are_taken_for_text() {
    let vault = TestVault::new();
    let root = vault.root();
    enabled(&vault, &json!({}));
    root.post("auth/up/users/ann", json!({"password": 12345})).ok();
    for password in [json!("12345"), json!(12345)] {
        vault.anonymous().post("auth/up/login/ann", json!({"password": password})).is(200);
    }
    root.post("sys/auth/approle", json!({"type": "approle"})).ok();
    root.post("auth/approle/role/app", json!({"role_id": 5})).ok();
    assert_eq!(root.get("auth/approle/role/app/role-id").data()["role_id"], "5");
    root.post("auth/approle/role/app/custom-secret-id", json!({"secret_id": 7, "metadata": null})).is(200);
    root.post("auth/approle/role/app/secret-id", json!({"metadata": null})).is(200);
    vault.anonymous().post("auth/approle/login", json!({"role_id": 5, "secret_id": "7"})).is(200);
    vault.anonymous().post("auth/approle/login", json!({"role_id": "5", "secret_id": 7})).is(200);
    vault.anonymous().post("auth/approle/login", json!({"role_id": 5, "secret_id": 8})).is(400);
}

#[test]
fn kinds_of_tokens_that_a_role_cannot_have() {
    let vault = TestVault::new();
    let root = vault.root();
    enabled(&vault, &json!({}));
    root.post("sys/auth/approle", json!({"type": "approle"})).ok();
    root.post("sys/auth/jwt", json!({"type": "jwt"})).ok();
    for (asked, meant) in [("default-service", "service"), ("default-batch", "batch")] {
        let user = json!({"password": "wide river", "token_type": asked});
        root.post("auth/up/users/ann", user).refuses(400, "invalid 'token_type' value");
        let role = json!({"role_type": "jwt", "user_claim": "sub", "bound_subject": "ann", "token_type": asked});
        root.post("auth/jwt/role/dev", role).refuses(400, "invalid 'token_type' value");
        let written = root.post("auth/approle/role/app", json!({"token_type": asked})).is(200).json();
        assert_eq!(written["warnings"], json!([format!("{asked} has no useful meaning; adjusting to {meant}")]));
        assert_eq!(root.get("auth/approle/role/app").data()["token_type"], meant);
    }
}

#[test]
fn policies_of_roles_keep_their_case_and_those_of_tokens_do_not() {
    let vault = TestVault::new();
    enabled(&vault, &json!({}));
    let auth = log_in(&vault, json!({"token_policies": ["x", "Y"]})).auth();
    assert_eq!(auth["token_policies"], json!(["default", "x", "y"]));
    let user = vault.root().get("auth/up/users/ann").data();
    assert_eq!((&user["token_policies"], &user["policies"]), (&json!(["x", "Y"]), &Value::Null));
    vault.root().post("auth/up/users/ann", json!({"policies": ["old"], "token_policies": ["New"]})).ok();
    let user = vault.root().get("auth/up/users/ann").data();
    assert_eq!((&user["token_policies"], &user["policies"]), (&json!(["New"]), &json!(["New"])));
    vault.root().post("auth/up/users/ann", json!({"token_policies": ["Root"]})).ok();
    vault.anonymous().post("auth/up/login/ann", json!({"password": "wide river"})).refuses(400, "root");
}
