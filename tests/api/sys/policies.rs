//! `sys/policies/acl`, and what policies do to requests.

use serde_json::json;

use crate::support::TestVault;

#[test]
fn nothing_is_allowed_that_no_policy_allows() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    root.post("kv/open/a", json!({"x": 1})).ok();
    root.post("kv/secret/a", json!({"x": 1})).ok();
    let reader = vault.with_policy(
        "reader",
        r#"path "kv/*" { capabilities = ["read", "list"] }
           path "kv/secret/*" { capabilities = ["deny"] }
           path "kv/secret/open" { capabilities = ["read", "create"] }"#,
    );
    reader.get("kv/open/a").is(200);
    reader.list("kv/open").is(200);
    reader.post("kv/open/a", json!({"x": 2})).refuses(403, "permission denied");
    reader.delete("kv/open/a").is(403);
    reader.get("kv/secret/a").is(403);
    reader.list("kv/secret").is(403);
    // Create without update: once.
    reader.post("kv/secret/open", json!({"x": 1})).is(204);
    reader.post("kv/secret/open", json!({"x": 2})).is(403);
    assert_eq!(reader.get("kv/secret/open").data(), json!({"x": 1}));
    // A path that does not exist says the same as one that is forbidden.
    reader.get("nowhere/at/all").refuses(403, "permission denied");
    vault.anonymous().get("nowhere/at/all").refuses(403, "permission denied");
    root.get("nowhere/at/all").refuses(404, "no handler for route");
}

#[test]
fn spellings_of_a_path_do_not_get_around_a_policy() {
    let vault = TestVault::new();
    vault.root().post("sys/mounts/kv", json!({"type": "kv"})).ok();
    vault.root().post("kv/secret/a", json!({"x": 1})).ok();
    let reader = vault.with_policy(
        "reader",
        "path \"kv/*\" { capabilities = [\"read\"] }\npath \"kv/secret/*\" { capabilities = [\"deny\"] }",
    );
    for path in [
        "kv/open/%2e%2e/secret/a",
        "kv%2Fsecret%2Fa",
        "kv/secret%2Fa",
        "kv/%2e/secret/a",
        "kv/secret/a/",
        "kv//secret/a",
        "kv/./secret/a",
        "kv/open/../secret/a",
        "%6bv/%73ecret/a",
    ] {
        let answer = reader.get(path);
        assert!(matches!(answer.status, 307 | 400 | 403), "{path}: {} {}", answer.status, answer.text);
    }
}

#[test]
fn parameters_are_held_to_the_policy() {
    let vault = TestVault::new();
    vault.root().post("sys/mounts/kv", json!({"type": "kv"})).ok();
    let writer = vault.with_policy(
        "writer",
        r#"path "kv/a" {
             capabilities = ["create", "update"]
             allowed_parameters = { "colour" = ["red", "gr*"], "*" = [] }
             denied_parameters = { "size" = [] }
             required_parameters = ["colour"]
           }"#,
    );
    writer.post("kv/a", json!({"colour": "red", "other": 1})).is(204);
    writer.post("kv/a", json!({"colour": "green"})).is(204);
    writer.post("kv/a", json!({"colour": "blue"})).is(403);
    writer.post("kv/a", json!({"colour": "red", "size": 1})).is(403);
    writer.post("kv/a", json!({"other": 1})).is(403);
    // Another spelling of the same body is the same body, and one that can be read in two ways is none.
    writer
        .with_header("content-type", "application/x-www-form-urlencoded")
        .send("POST", "kv/a", Some(b"colour=red&size=1"))
        .is(403);
    writer.send("POST", "kv/a", Some(br#"{"colour":"red","colour":"blue"}"#)).is(400);
}

#[test]
fn sudo_is_asked_for_beside_the_capability() {
    let vault = TestVault::new();
    let without = vault.with_policy("without", "path \"auth/token/accessors\" { capabilities = [\"list\"] }\npath \"auth/token/accessors/\" { capabilities = [\"list\"] }");
    without.list("auth/token/accessors").is(403);
    let with = vault.with_policy("with", "path \"auth/token/accessors\" { capabilities = [\"list\", \"sudo\"] }\npath \"auth/token/accessors/\" { capabilities = [\"list\", \"sudo\"] }");
    with.list("auth/token/accessors").is(200);
}

#[test]
fn a_changed_policy_counts_at_once() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    root.post("kv/a", json!({"x": 1})).ok();
    let reader = vault.with_policy("changing", "path \"kv/*\" { capabilities = [\"read\"] }");
    reader.get("kv/a").is(200);
    root.post("sys/policies/acl/changing", json!({"policy": "path \"kv/*\" { capabilities = [\"deny\"] }"})).ok();
    reader.get("kv/a").is(403);
    root.delete("sys/policies/acl/changing").is(204);
    reader.get("kv/a").is(403);
    root.post("sys/policies/acl/changing", json!({"policy": "path \"kv/*\" { capabilities = [\"read\"] }"})).ok();
    reader.get("kv/a").is(200);
    root.post("sys/policies/acl/broken", json!({"policy": "path \"x\" {"})).is(400);
    root.post("sys/policies/acl/root", json!({"policy": "path \"*\" { capabilities = [\"read\"] }"})).is(400);
    root.delete("sys/policies/acl/default").is(400);
}

#[test]
fn a_token_learns_what_it_may() {
    let vault = TestVault::new();
    let holder = vault.with_token(json!({"policies": ["default"]}));
    let may = holder.post("sys/capabilities-self", json!({"paths": ["cubbyhole/x", "sys/mounts"]})).ok().json();
    assert_eq!(may["data"]["sys/mounts"], json!(["deny"]));
    assert!(may["data"]["cubbyhole/x"].as_array().unwrap().contains(&json!("update")));
}
