//! `sys/policies/explain`: it says what requests get, and tells only those who may ask.

use serde_json::{Value, json};

use crate::support::{Client, TestVault};

const APP: &str = r#"path "kv/*" { capabilities = ["read", "list", "create"] }
path "kv/locked/*" { capabilities = ["deny"] }
path "kv/strict" { capabilities = ["create", "update"] required_parameters = ["why"] }
path "kv/wrapped" { capabilities = ["read"] min_wrapping_ttl = "10s" }
path "sys/audit" { capabilities = ["read"] }
path "sys/policies/acl/*" { capabilities = ["read"] }
"#;

fn vault() -> TestVault {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    for name in ["a", "strict", "wrapped", "locked/a"] {
        root.post(&format!("kv/{name}"), json!({"x": 1})).ok();
    }
    vault
}

fn explain(client: &Client, question: Value) -> Value {
    client.post("sys/policies/explain", question).ok().data()
}

#[test]
fn it_says_what_requests_get() {
    let vault = vault();
    let app = vault.with_policy("app", APP);
    let known = vault.root().post("auth/token/lookup", json!({"token": app.token()})).ok().data();
    let accessor = known["accessor"].clone();
    let body = |fields: &Value| Some(serde_json::to_vec(fields).unwrap());
    for (method, operation, path, fields) in [
        ("GET", "read", "kv/a", json!({})),
        ("GET", "read", "kv/locked/a", json!({})),
        ("GET", "read", "kv/wrapped", json!({})),
        ("LIST", "list", "kv", json!({})),
        ("LIST", "list", "kv/locked", json!({})),
        ("SCAN", "scan", "kv", json!({})),
        ("DELETE", "delete", "kv/a", json!({})),
        ("POST", "update", "kv/a", json!({"x": 2})),
        ("POST", "create", "kv/new", json!({"x": 2})),
        ("POST", "update", "kv/strict", json!({"x": 2})),
        ("POST", "update", "kv/strict", json!({"x": 2, "why": "because"})),
        ("PATCH", "patch", "kv/a", json!({"x": 2})),
        ("GET", "read", "sys/audit", json!({})),
        ("GET", "read", "sys/health", json!({})),
        ("GET", "read", "sys/policies/acl/app", json!({})),
        ("GET", "read", "sys/policies/acl/APP", json!({})),
        ("GET", "read", "sys/internal/ui/namespaces", json!({})),
        ("GET", "read", "auth/token/lookup-self", json!({})),
        ("POST", "create", "sys/policies/acl/new", json!({"policy": "#"})),
        ("POST", "update", "sys/mounts/kv2", json!({"type": "kv"})),
        ("GET", "read", "nowhere/at/all", json!({})),
    ] {
        let question = json!({"path": path, "operation": operation, "accessor": accessor, "parameters": fields});
        let said = explain(&vault.root(), question);
        let answer = app.send(method, path, if method == "GET" { None } else { body(&fields) }.as_deref());
        assert_eq!(said["allowed"], json!(answer.status != 403), "{operation} {path}: {said:#} {}", answer.text);
        assert_eq!(
            said["suggestion"].is_null(),
            said["allowed"] == true || said["denied_explicitly"] == true,
            "{said:#}"
        );
    }
}

#[test]
fn what_is_suggested_is_what_it_takes() {
    let vault = vault();
    let app = vault.with_policy("app", APP);
    let question = json!({"path": "sys/audit", "operation": "read", "token": app.token()});
    let said = explain(&vault.root(), question);
    assert_eq!(said["missing"], json!([{"kind": "capability", "capability": "sudo"}]));
    assert_eq!(
        said["decided_by"],
        json!([{"policy": "app", "path": "sys/audit", "line": 5, "capabilities": ["read"]}])
    );
    assert!(!said.to_string().contains(app.token()));
    app.get("sys/audit").is(403);
    let text = format!("{APP}{}", said["suggestion"]["rule"].as_str().unwrap());
    vault.root().post("sys/policies/acl/app", json!({"policy": text})).ok();
    app.get("sys/audit").is(200);
}

#[test]
fn a_write_creates_or_updates_as_the_asker_says() {
    let vault = vault();
    let ask = |path: &str, operation: &str| {
        explain(&vault.root(), json!({"path": path, "operation": operation, "policies": "c"}))["allowed"].clone()
    };
    let text = "path \"kv/*\" { capabilities = [\"create\"] } path \"sys/mounts/*\" { capabilities = [\"create\"] }";
    vault.root().post("sys/policies/acl/c", json!({"policy": text})).ok();
    assert_eq!(
        (ask("kv/x", "create"), ask("kv/x", "update"), ask("kv/x", "write")),
        (json!(true), json!(false), json!(false))
    );
    // This endpoint does not tell: whoever may only create may not use it.
    assert_eq!(ask("sys/mounts/x", "create"), json!(false));
}

#[test]
fn it_tells_only_those_who_may_ask() {
    let vault = vault();
    let question = json!({"path": "kv/a", "operation": "read"});
    vault.with_policy("none", "#").post("sys/policies/explain", question.clone()).refuses(403, "permission denied");
    let asker = vault.with_policy(
        "asker",
        "path \"sys/policies/explain\" { capabilities = [\"update\"] denied_parameters = { \"token\" = [] \"accessor\" = [] \"policies\" = [] } }",
    );
    let said = explain(&asker, question);
    assert_eq!(said["missing"][0]["kind"], "rule");
    for (field, value) in [("token", "x"), ("accessor", "x"), ("policies", "root")] {
        let others = json!({"path": "kv/a", "operation": "read", field: value});
        asker.post("sys/policies/explain", others).refuses(403, "permission denied");
    }
}

#[test]
fn questions_that_are_none() {
    let vault = vault();
    let root = vault.root();
    for (question, says) in [
        (json!({}), "operation must be one of"),
        (json!({"path": "a", "operation": "sing"}), "operation must be one of read, create"),
        (json!({"operation": "read"}), "path must be supplied"),
        (json!({"path": "a/../b", "operation": "read"}), "relative paths"),
        (json!({"path": "kv/", "operation": "update"}), "cannot write to a path ending in '/'"),
        (json!({"path": "a", "operation": "read", "token": "nope"}), "invalid token"),
        (json!({"path": "a", "operation": "read", "accessor": "nope"}), "invalid accessor"),
        (json!({"path": "a", "operation": "read", "policies": ["a"], "accessor": "b"}), "one of token, accessor"),
        (json!({"path": "a", "operation": "list", "parameters": {"limit": "x"}}), "limit must be a whole number"),
        (json!({"path": "a", "operation": "read", "policies": ["../a"]}), "a policy's name"),
    ] {
        root.post("sys/policies/explain", question).refuses(400, says);
    }
    let answer =
        root.post("sys/policies/explain", json!({"path": "nowhere", "operation": "read", "policies": ["lost"]}));
    let warnings = answer.json()["warnings"].to_string();
    assert!(warnings.contains("there is no policy") && warnings.contains("no endpoint answers"), "{warnings}");
    let data = answer.data();
    assert_eq!((&data["allowed"], &data["rule"]), (&json!(false), &Value::Null));
}
