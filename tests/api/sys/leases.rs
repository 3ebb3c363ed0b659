//! `sys/leases`: the leases of tokens; those of databases are with the database engine.

use std::time::Duration;

use serde_json::json;

use crate::support::{Setup, eventually};

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
