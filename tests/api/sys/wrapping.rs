//! `X-Vault-Wrap-TTL` and `sys/wrapping/*`.

use std::sync::Barrier;
use std::time::Duration;

use serde_json::json;

use crate::support::{Client, Setup, TestVault};

/// A secret in a wrapping, and its token.
fn wrapped(root: &Client) -> String {
    root.post("cubbyhole/gift", json!({"a": "b"})).ok();
    let answer = root.with_header("x-vault-wrap-ttl", "60s").get("cubbyhole/gift").ok().json();
    assert!(answer["data"].is_null());
    let info = &answer["wrap_info"];
    assert_eq!((&info["ttl"], &info["creation_path"]), (&json!(60), &json!("cubbyhole/gift")));
    info["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_wrapping_opens_once() {
    let vault = TestVault::new();
    let root = vault.root();
    let token = wrapped(&root);
    let looked_up = vault.anonymous().post("sys/wrapping/lookup", json!({"token": token})).data();
    assert_eq!(looked_up["creation_path"], "cubbyhole/gift");
    let holder = vault.anonymous().with_token(&token);
    assert_eq!(holder.post("sys/wrapping/unwrap", json!({})).data(), json!({"a": "b"}));
    holder.post("sys/wrapping/unwrap", json!({})).refuses(400, "wrapping token is not valid or does not exist");
    let other = wrapped(&root);
    assert_eq!(root.post("sys/wrapping/unwrap", json!({"token": other})).data(), json!({"a": "b"}));
    root.post("sys/wrapping/unwrap", json!({"token": other})).refuses(400, "wrapping token is not valid");
}

#[test]
fn a_wrapping_opens_once_for_many_who_try_at_the_same_time() {
    const MANY: usize = 8;
    let vault = TestVault::new();
    let root = vault.root();
    for _ in 0..4 {
        let token = wrapped(&root);
        let start = Barrier::new(MANY);
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..MANY)
                .map(|_| {
                    let client = vault.anonymous().with_token(&token);
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        client.post("sys/wrapping/unwrap", json!({})).status
                    })
                })
                .collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    }
}

#[test]
fn a_wrapping_ends() {
    let vault = Setup::manual_clock().start();
    let token = wrapped(&vault.root());
    vault.advance(Duration::from_secs(61));
    vault.anonymous().with_token(&token).post("sys/wrapping/unwrap", json!({})).refuses(400, "wrapping token");
}

#[test]
fn a_wrapping_token_is_good_for_nothing_else() {
    let vault = TestVault::new();
    let root = vault.root();
    let token = wrapped(&root);
    let holder = vault.anonymous().with_token(&token);
    holder.get("auth/token/lookup-self").is(403);
    holder.post("sys/wrapping/unwrap", json!({})).is(400);
    let again = wrapped(&root);
    let rewrapped =
        root.with_header("x-vault-wrap-ttl", "2m").post("sys/wrapping/rewrap", json!({"token": again})).ok().json();
    assert_eq!(rewrapped["wrap_info"]["ttl"], 60, "as long as whoever wrapped it said");
    let fresh = rewrapped["wrap_info"]["token"].as_str().unwrap();
    root.post("sys/wrapping/unwrap", json!({"token": again})).is(400);
    assert_eq!(root.post("sys/wrapping/unwrap", json!({"token": fresh})).data(), json!({"a": "b"}));
    for bad in ["-5s", "soon"] {
        root.with_header("x-vault-wrap-ttl", bad).get("cubbyhole/gift").is(400);
    }
    root.with_header("x-vault-wrap-ttl", "60s").get("cubbyhole/none").is(404);
}

#[test]
fn who_has_a_wrapping_token_can_let_go_of_it() {
    let vault = TestVault::new();
    let holder = vault.anonymous().with_token(&wrapped(&vault.root()));
    holder.post("auth/token/revoke-self", json!({})).is(204);
    holder.post("sys/wrapping/unwrap", json!({})).refuses(400, "wrapping token is not valid");
}

#[test]
fn a_login_can_be_wrapped() {
    let vault = TestVault::new();
    let made =
        vault.root().with_header("x-vault-wrap-ttl", "5m").post("auth/token/create", json!({"policies": ["default"]}));
    let info = made.ok().json()["wrap_info"].take();
    let opened = vault.anonymous().post("sys/wrapping/unwrap", json!({"token": info["token"]}));
    let opened = if opened.status == 403 {
        vault.root().post("sys/wrapping/unwrap", json!({"token": info["token"]}))
    } else {
        opened
    };
    let auth = opened.auth();
    assert_eq!(auth["accessor"], info["wrapped_accessor"]);
    vault.anonymous().with_token(auth["client_token"].as_str().unwrap()).get("auth/token/lookup-self").is(200);
}

/// What `path` answers, wrapped: the token, and what is said of it.
fn wrapped_answer(root: &Client, method: &str, path: &str, body: Option<&[u8]>) -> serde_json::Value {
    root.with_header("x-vault-wrap-ttl", "60").send(method, path, body).is(200).json()["wrap_info"].clone()
}

#[test]
fn a_deleted_secret_is_wrapped_with_its_status() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv", "options": {"version": "2"}})).ok();
    root.post("kv/data/a", json!({"data": {"x": 1}})).ok();
    root.delete("kv/data/a").is(204);
    let info = wrapped_answer(&root, "GET", "kv/data/a", None);
    let looked_up = root.post("sys/wrapping/lookup", json!({"token": info["token"]})).is(200).data();
    assert_eq!(looked_up["creation_path"], "kv/data/a");
    let rewrapped = root.post("sys/wrapping/rewrap", json!({"token": info["token"]})).is(200).json();
    let holder = vault.anonymous().with_token(rewrapped["wrap_info"]["token"].as_str().unwrap());
    let unwrapped = holder.post("sys/wrapping/unwrap", json!({})).is(404).json();
    assert_eq!(unwrapped["data"]["metadata"]["version"], 1);
    holder.post("sys/wrapping/unwrap", json!({})).is(400);
    // What has neither data nor a status of its own to tell is not wrapped.
    root.with_header("x-vault-wrap-ttl", "60").get("kv/data/none").is(404);
    root.with_header("x-vault-wrap-ttl", "60").post("kv/delete/a", json!({"versions": [1]})).is(204);
}

#[test]
fn an_answer_of_nothing_but_warnings_is_wrapped() {
    let vault = TestVault::new();
    let root = vault.root();
    let info = wrapped_answer(&root, "POST", "auth/token/tidy", None);
    let unwrapped = root.post("sys/wrapping/unwrap", json!({"token": info["token"]})).is(202).json();
    assert!(unwrapped["warnings"][0].as_str().unwrap().contains("Tidy operation"));
}

#[test]
fn a_wrapped_secret_id_is_named_by_its_accessor() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/auth/approle", json!({"type": "approle"})).ok();
    root.post("auth/approle/role/r", json!({})).ok();
    for (path, body) in [("secret-id", "{}"), ("custom-secret-id", r#"{"secret_id":"of-my-own"}"#)] {
        let path = format!("auth/approle/role/r/{path}");
        let info = wrapped_answer(&root, "POST", &path, Some(body.as_bytes()));
        let made = root.post("sys/wrapping/unwrap", json!({"token": info["token"]})).is(200).data();
        assert_eq!(info["wrapped_accessor"], made["secret_id_accessor"], "{path}");
        assert!(!made["secret_id_accessor"].as_str().unwrap().is_empty());
    }
    root.post("cubbyhole/a", json!({"secret_id_accessor": "x"})).ok();
    assert!(wrapped_answer(&root, "GET", "cubbyhole/a", None).get("wrapped_accessor").is_none());
}

/// Whoever has no token must not be able to fill the store with what nobody will fetch.
#[test]
fn what_anyone_may_read_is_not_wrapped() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    root.post("auth/userpass/users/ann", json!({"password": "wide river, far shore"})).ok();
    let client = vault.anonymous().with_header("x-vault-wrap-ttl", "2500000h");
    let tokens = || root.list("auth/token/accessors").data()["keys"].as_array().unwrap().len();
    let (accessors, leases) = (tokens(), vault.lease_count());
    for path in ["sys/internal/ui/mounts", "sys/internal/ui/namespaces", "sys/health", "sys/seal-status"] {
        let answer = client.get(path);
        if answer.status == 200 {
            let body = answer.json();
            assert!(body.get("wrap_info").is_none_or(serde_json::Value::is_null), "{path}: {body}");
        }
    }
    assert!(client.get("sys/internal/ui/mounts").data().get("auth").is_some());
    assert_eq!((tokens(), vault.lease_count()), (accessors, leases), "something was kept");
    // A login makes a token anyway; that it is wrapped is what the header is for.
    let login = json!({"password": "wide river, far shore"});
    let wrapped = client.post("auth/userpass/login/ann", login).ok().json();
    assert_eq!(wrapped["wrap_info"]["ttl"], 32 * 24 * 3600, "longer than anything lasts");
    let token = wrapped["wrap_info"]["token"].as_str().unwrap();
    let opened = vault.anonymous().with_token(token).post("sys/wrapping/unwrap", json!({})).ok().json();
    assert!(opened["auth"]["client_token"].is_string());
}
