//! Mounts of type `approle`.

use serde_json::{Value, json};

use crate::support::{Client, TestVault};

fn enabled() -> (TestVault, Client, Value) {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/auth/approle", json!({"type": "approle"})).ok();
    root.post("auth/approle/role/app", json!({"token_policies": ["app"], "secret_id_num_uses": 2, "token_ttl": "5m"}))
        .ok();
    let role_id = root.get("auth/approle/role/app/role-id").data()["role_id"].take();
    (vault, root, role_id)
}

#[test]
fn a_role_id_and_a_secret_id_log_in() {
    let (vault, root, role_id) = enabled();
    let secret = root.post("auth/approle/role/app/secret-id", json!({"metadata": "{\"host\": \"h1\"}"})).data();
    let body = json!({"role_id": role_id, "secret_id": secret["secret_id"]});
    let login = vault.anonymous().post("auth/approle/login", body.clone()).auth();
    assert_eq!((&login["lease_duration"], &login["metadata"]["role_name"]), (&json!(300), &json!("app")));
    vault.anonymous().post("auth/approle/login", body.clone()).is(200);
    vault.anonymous().post("auth/approle/login", body).is(400);
    for body in
        [json!({"role_id": role_id}), json!({"secret_id": "x"}), json!({}), json!({"role_id": "x", "secret_id": "y"})]
    {
        vault.anonymous().post("auth/approle/login", body).is(400);
    }
}

#[test]
fn a_secret_id_is_spent_once_for_each_use_even_at_the_same_time() {
    let (vault, root, role_id) = enabled();
    let secret = root.post("auth/approle/role/app/secret-id", json!({})).data();
    let body = json!({"role_id": role_id, "secret_id": secret["secret_id"]});
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| {
                let (client, body) = (vault.anonymous(), body.clone());
                scope.spawn(move || client.post("auth/approle/login", body).status)
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
}

#[test]
fn a_destroyed_secret_id_does_not_log_in() {
    let (vault, root, role_id) = enabled();
    let secret = root.post("auth/approle/role/app/secret-id", json!({})).data();
    let accessor = json!({"secret_id_accessor": secret["secret_id_accessor"]});
    assert_eq!(
        root.post("auth/approle/role/app/secret-id-accessor/lookup", accessor.clone()).data()["secret_id_num_uses"],
        2
    );
    root.post("auth/approle/role/app/secret-id-accessor/destroy", accessor).ok();
    let body = json!({"role_id": role_id, "secret_id": secret["secret_id"]});
    vault.anonymous().post("auth/approle/login", body).is(400);
}
