//! `/v1/sys/quotas`.

use std::sync::Arc;

use arca::storage::{MemoryStorage, Storage};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Setup, TestVault, eventually};

fn role_of(root: &Client, mount: &str, name: &str) -> Value {
    let role = format!("auth/{mount}/role/{name}");
    root.post(&role, json!({"bind_secret_id": false, "token_ttl": "1h", "secret_id_bound_cidrs": "0.0.0.0/0,::/0"}))
        .ok();
    root.get(&format!("{role}/role-id")).data()["role_id"].take()
}

fn log_in(client: &Client, role_id: &Value) -> Answer {
    client.post("auth/approle/login", json!({"role_id": role_id}))
}

fn counter(root: &Client, name: &str) -> u64 {
    root.get(&format!("sys/quotas/lease-count/{name}")).data()["counter"].as_u64().unwrap()
}

fn limit(root: &Client, name: &str, limit: Value) {
    root.post(&format!("sys/quotas/lease-count/{name}"), limit).is(204);
}

fn create(client: &Client) -> Answer {
    client.post("auth/token/create", json!({"policies": ["default"], "ttl": "1h"}))
}

#[test]
fn a_lease_count_quota_is_written_read_listed_and_removed() {
    let vault = TestVault::new();
    let root = vault.root();
    root.list("sys/quotas/lease-count").is(404);
    limit(&root, "all", json!({"max_leases": "100"}));
    let shown = root.get("sys/quotas/lease-count/all").data();
    let wanted = json!({"counter": 0, "inheritable": true, "max_leases": 100, "name": "all", "path": "", "role": "",
        "type": "lease-count"});
    assert_eq!(shown, wanted);
    assert_eq!(root.list("sys/quotas/lease-count").data()["keys"], json!(["all"]));
    root.post("sys/quotas/lease-count/again", json!({"max_leases": 5})).refuses(400, "under the name");
    root.post("sys/quotas/lease-count/none", json!({"path": "auth/token"})).refuses(400, "max_leases");
    root.post("sys/quotas/lease-count/none", json!({"path": "nosuch/", "max_leases": 1})).refuses(400, "invalid mount");
    root.delete("sys/quotas/lease-count/all").is(204);
    root.get("sys/quotas/lease-count/all").is(404);
    root.delete("sys/quotas/lease-count/all").is(204);
}

#[test]
fn leases_are_made_up_to_the_limit_and_no_further() {
    let vault = TestVault::new();
    let root = vault.root();
    let first = create(&root).issued();
    limit(&root, "tokens", json!({"path": "auth/token", "max_leases": 3}));
    assert_eq!(counter(&root, "tokens"), 1, "what is there counts");
    let second = create(&root).issued();
    create(&root).is(200);
    create(&root).refuses(429, "lease count quota exceeded");
    root.post("auth/token/create", json!({"type": "batch", "policies": ["default"]})).refuses(429, "lease count quota");
    root.post("auth/token/create", json!({"policies": ["root"], "ttl": "0"})).is(200);
    // Holders go on with what they have.
    root.with_token(&second).post("auth/token/renew-self", json!({})).is(200);
    root.with_token(&second).get("auth/token/lookup-self").is(200);
    root.with_token(&first).post("auth/token/revoke-self", json!({})).is(204);
    assert_eq!(counter(&root, "tokens"), 2);
    create(&root).is(200);
    create(&root).is(429);
    limit(&root, "tokens", json!({"path": "auth/token", "max_leases": 4}));
    create(&root).is(200);
    create(&root).is(429);
    root.delete("sys/quotas/lease-count/tokens").is(204);
    create(&root).is(200);
}

#[test]
fn many_at_a_time_are_as_many_as_allowed() {
    let vault = TestVault::new();
    let root = vault.root();
    limit(&root, "tokens", json!({"path": "auth/token", "max_leases": 5}));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..16).map(|_| scope.spawn(|| create(&root).status)).collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 5, "{statuses:?}");
    assert_eq!(counter(&root, "tokens"), 5);
}

#[test]
fn an_expired_lease_makes_room() {
    let vault = TestVault::new();
    let root = vault.root();
    limit(&root, "all", json!({"max_leases": 1}));
    root.post("auth/token/create", json!({"policies": ["default"], "ttl": "1s"})).is(200);
    create(&root).is(429);
    eventually("the lease has expired", || (create(&root).status == 200).then_some(()));
    assert_eq!(counter(&root, "all"), 1);
}

#[test]
fn the_closest_quota_decides_and_a_role_is_closest() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/auth/approle", json!({"type": "approle"})).ok();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    let (web, db) = (role_of(&root, "approle", "web"), role_of(&root, "approle", "db"));
    limit(&root, "mount", json!({"path": "auth/approle/", "max_leases": 2}));
    log_in(&root, &web).is(200);
    limit(&root, "web", json!({"path": "auth/approle", "max_leases": 2, "role": "web"}));
    assert_eq!((counter(&root, "mount"), counter(&root, "web")), (0, 1), "it counts for the closest alone");
    log_in(&root, &web).is(200);
    log_in(&root, &web).refuses(429, "lease count quota exceeded");
    log_in(&root, &db).is(200);
    log_in(&root, &db).is(200);
    log_in(&root, &db).is(429);
    for (path, why) in [
        ("auth/approle/login", "both a path suffix and a role"),
        ("auth/userpass", "does not support use with role-based quotas"),
        ("sys", "is not a valid auth method"),
        ("", "is not a valid auth method"),
    ] {
        root.post("sys/quotas/lease-count/x", json!({"path": path, "max_leases": 1, "role": "r"})).refuses(400, why);
    }
    // It goes with its mount.
    root.post("sys/remount", json!({"from": "auth/approle", "to": "auth/machines"})).is(200);
    assert_eq!(root.get("sys/quotas/lease-count/web").data()["path"], "auth/machines/");
    root.delete("sys/auth/machines").is(204);
    root.list("sys/quotas/lease-count").is(404);
}

#[test]
fn a_namespace_has_its_own_quota() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/namespaces/team", json!({})).is(200);
    let team = root.with_header("x-vault-namespace", "team");
    limit(&root, "team", json!({"path": "team", "max_leases": 1}));
    limit(&root, "all", json!({"max_leases": 2}));
    create(&team).is(200);
    create(&team).refuses(429, "team/auth/token/create");
    create(&root).is(200);
    team.list("sys/quotas/lease-count").refuses(400, "root namespace");
    assert_eq!((counter(&root, "team"), counter(&root, "all")), (1, 1));
    root.delete("sys/namespaces/team").is(200);
    root.get("sys/quotas/lease-count/team").is(404);
}

#[test]
fn the_count_is_right_after_a_restart() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let vault = Setup { storage: storage.clone(), ..Setup::default() }.start();
    let role_id = {
        let root = vault.root();
        root.post("sys/auth/approle", json!({"type": "approle"})).ok();
        let role_id = role_of(&root, "approle", "web");
        limit(&root, "web", json!({"path": "auth/approle", "max_leases": 3, "role": "web"}));
        limit(&root, "tokens", json!({"path": "auth/token", "max_leases": 2}));
        log_in(&root, &role_id).is(200);
        log_in(&root, &role_id).is(200);
        create(&root).is(200);
        role_id
    };
    let (shares, root_token) = (vault.shares.clone(), vault.root().token().to_owned());
    vault.crash();
    let mut again = Setup { storage, ..Setup::default() }.start();
    again.adopt(&shares, &root_token);
    again.unseal();
    let root = again.root();
    assert_eq!((counter(&root, "web"), counter(&root, "tokens")), (2, 1));
    assert_eq!([log_in(&root, &role_id).status, log_in(&root, &role_id).status], [200, 429]);
    assert_eq!([create(&root).status, create(&root).status], [200, 429]);
}

#[test]
fn a_storm_of_one_role_leaves_the_others_alone() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/auth/approle", json!({"type": "approle"})).ok();
    let (web, db) = (role_of(&root, "approle", "web"), role_of(&root, "approle", "db"));
    let rule = json!({"path": "auth/approle", "role": "web", "rate": 2, "interval": "1h"});
    root.post("sys/quotas/rate-limit/web", rule).is(204);
    assert_eq!(root.get("sys/quotas/rate-limit/web").data()["role"], "web");
    let storm: Vec<u16> = (0..4).map(|_| log_in(&vault.anonymous(), &web).status).collect();
    assert_eq!(storm, [200, 200, 429, 429]);
    log_in(&vault.anonymous(), &db).is(200);
    log_in(&vault.anonymous(), &json!("unknown")).is(400);
    root.get("auth/approle/role/web").is(200);
}

#[test]
fn a_rate_limit_of_a_namespace_is_its_own() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/namespaces/team", json!({})).is(200);
    root.post("sys/quotas/rate-limit/team", json!({"path": "team", "rate": 1, "interval": "1h"})).is(204);
    assert_eq!(root.get("sys/quotas/rate-limit/team").data()["path"], "team/");
    let team = root.with_header("x-vault-namespace", "team");
    assert_eq!([team.get("sys/mounts").status, team.get("sys/mounts").status], [200, 429]);
    root.get("sys/mounts").is(200);
}

/// What is wrong with a request does not spare it the count, and whatever its head is enough to judge takes no body.
#[test]
fn requests_with_faults_and_bodies_count_once() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    root.post("sys/quotas/rate-limit/users", json!({"path": "auth/userpass", "rate": 2, "interval": "1h"})).is(204);
    let client = vault.anonymous();
    let path = "auth/userpass/login/ann";
    let wrong = || client.post(path, json!({"password": "wrong"})).status;
    assert_eq!([wrong(), wrong(), wrong(), wrong()], [400, 400, 429, 429], "a body is no second request");
    // Its body is announced and never comes.
    let mut wire = vault.wire();
    let head = format!("POST /v1/{path} HTTP/1.1\r\nhost: x\r\ncontent-length: 30000000\r\n\r\n");
    wire.say(head.as_bytes()).unwrap();
    let heard = String::from_utf8_lossy(&wire.hear_some().unwrap()).into_owned();
    assert!(heard.starts_with("HTTP/1.1 429"), "{heard}");
    let last = vault.audit_log().pop().unwrap();
    assert!(last["error"].as_str().unwrap().contains("rate limit quota exceeded"), "{last}");

    let fresh = |path: &str| {
        root.delete("sys/quotas/rate-limit/users").is(204);
        let rule = json!({"path": path, "rate": 1, "interval": "1h", "block_interval": 0});
        root.post("sys/quotas/rate-limit/users", rule).is(204);
    };
    fresh("auth/userpass");
    let malformed = || client.send("POST", path, Some(b"{\"password\":")).status;
    assert_eq!([malformed(), malformed(), wrong()], [400, 429, 429]);
    fresh("auth/userpass");
    let verb = || client.send("OPTIONS", path, None).status;
    assert_eq!([verb(), verb()], [400, 429]);
    root.post("sys/quotas/rate-limit/all", json!({"path": "", "rate": 1, "interval": "1h"})).is(204);
    let nowhere = client.with_header("x-vault-namespace", "nowhere");
    assert_eq!([nowhere.get("sys/mounts").status, nowhere.get("sys/mounts").status], [404, 429]);
}

/// An exemption ends with the configuration that named it; a limit never keeps the vault sealed.
#[test]
fn paths_are_exempt_as_long_as_the_configuration_says_so() {
    let vault = TestVault::new();
    let root = vault.root();
    let exempt = || root.get("sys/quotas/config").data()["rate_limit_exempt_paths"].clone();
    let own = exempt();
    assert!(own.as_array().unwrap().contains(&json!("sys/unseal")), "{own}");
    let rule = json!({"path": "", "rate": 1, "interval": "1h"});
    root.post("sys/quotas/config", json!({"rate_limit_exempt_paths": ["cubbyhole/*", "sys/quotas/*"]})).is(204);
    root.post("sys/quotas/rate-limit/all", rule).is(204);
    let read = || root.get("cubbyhole/a").status;
    assert_eq!([read(), read(), read()], [404, 404, 404]);
    root.post("sys/quotas/config", json!({"enable_rate_limit_response_headers": true})).is(204);
    assert_eq!([read(), read()], [404, 429]);
    assert_eq!([(); 3].map(|()| vault.anonymous().get("sys/health").status), [200; 3]);
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/quotas/config", json!({"rate_limit_exempt_paths": []})).is(204);
    assert_eq!(root.get("sys/quotas/config").data()["rate_limit_exempt_paths"], json!([]));
    root.post("sys/quotas/config", json!({})).is(204);
    assert_eq!(root.get("sys/quotas/config").data()["rate_limit_exempt_paths"], own);
}
