//! `sys/leases`: the leases of tokens; those of databases are with the database engine.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, Setup, TestVault, eventually};

#[test]
fn the_lease_of_a_token_ends_it() {
    let vault = Setup::manual_clock().start();
    let root = vault.root();
    let holder = vault.with_token(json!({"policies": ["default"], "ttl": "10m"}));
    let ids = root.list("sys/leases/lookup/auth/token/create").data();
    let ids = ids["keys"].as_array().unwrap();
    assert_eq!(ids.len(), 1);
    let id = format!("auth/token/create/{}", ids[0].as_str().unwrap());
    let lease = root.post("sys/leases/lookup", json!({"lease_id": id})).data();
    assert_eq!(lease["ttl"], 600);
    vault.advance(Duration::from_secs(599));
    holder.get("auth/token/lookup-self").is(200);
    vault.advance(Duration::from_secs(2));
    holder.get("auth/token/lookup-self").is(403);
    eventually("the lease is gone", || (vault.lease_count() == 0).then_some(()));
    root.post("sys/leases/lookup", json!({"lease_id": id})).is(400);
}

#[test]
fn a_revoked_lease_ends_its_token_at_once() {
    let vault = Setup::default().start();
    let root = vault.root();
    let first = vault.with_token(json!({"policies": ["default"]}));
    let second = vault.with_token(json!({"policies": ["default"]}));
    root.post("sys/leases/revoke-prefix/auth/token/create", json!({"sync": true})).ok();
    first.get("auth/token/lookup-self").is(403);
    second.get("auth/token/lookup-self").is(403);
    assert_eq!(vault.lease_count(), 0);
    root.post("sys/leases/lookup", json!({"lease_id": "no/such"})).refuses(400, "invalid lease");
    root.post("sys/leases/renew", json!({"lease_id": "no/such"})).refuses(400, "lease not found");
}

/// Three tokens of logins, and the ids of their leases.
fn logins(vault: &TestVault) -> (Vec<Client>, Vec<String>) {
    let root = vault.root();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    root.post("auth/userpass/users/ann", json!({"password": "wide river"})).ok();
    let holders = (0..3).map(|_| vault.login("auth/userpass/login/ann", json!({"password": "wide river"}))).collect();
    let names = root.list("sys/leases/lookup/auth/userpass/login/ann").data()["keys"].take();
    let id = |name: &Value| format!("auth/userpass/login/ann/{}", name.as_str().unwrap());
    (holders, names.as_array().unwrap().iter().map(id).collect())
}

fn alive(holders: &[Client]) -> usize {
    holders.iter().filter(|holder| holder.get("auth/token/lookup-self").status == 200).count()
}

#[test]
fn a_revocation_is_done_when_it_is_answered() {
    let vault = TestVault::new();
    let root = vault.root();
    let (holders, ids) = logins(&vault);
    root.post("sys/leases/revoke", json!({"lease_id": ids[0]})).is(204);
    assert_eq!((alive(&holders), vault.lease_count()), (2, 2));
    root.post(&format!("sys/leases/revoke/{}", ids[1]), json!({})).is(204);
    assert_eq!((alive(&holders), vault.lease_count()), (1, 1));
    root.post("sys/leases/revoke-prefix/auth/userpass", json!({})).is(204);
    assert_eq!((alive(&holders), vault.lease_count()), (0, 0));
    root.post("sys/leases/revoke", json!({"lease_id": "no/such"})).is(204);
    root.post("sys/leases/revoke", json!({})).refuses(400, "lease_id must be specified");
}

#[test]
fn a_token_is_dead_although_its_lease_is_revoked_in_the_background() {
    let vault = TestVault::new();
    let root = vault.root();
    let (holders, ids) = logins(&vault);
    for sync in [json!(false), json!("false"), json!(null)] {
        root.post("sys/leases/revoke", json!({"lease_id": "no/such", "sync": sync})).is(202);
    }
    root.post("sys/leases/revoke", json!({"lease_id": ids[0], "sync": false})).is(202);
    assert_eq!(alive(&holders), 2);
    root.post(&format!("sys/leases/revoke/{}", ids[1]), json!({"sync": false})).is(202);
    assert_eq!(alive(&holders), 1);
    root.post("sys/leases/revoke-prefix/auth/userpass", json!({"sync": false})).is(202);
    assert_eq!(alive(&holders), 0);
    eventually("the leases are gone", || (vault.lease_count() == 0).then_some(()));
}
