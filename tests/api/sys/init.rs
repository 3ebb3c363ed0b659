//! `sys/init`, `sys/unseal`, `sys/seal`, `sys/seal-status` and `sys/health`: a vault's life.

use serde_json::json;

use crate::support::{Setup, TestVault};

fn uninitialised() -> TestVault {
    Setup { unsealed: false, ..Setup::default() }.start()
}

#[test]
fn a_vault_lives_from_its_keys_to_its_seal() {
    let mut vault = uninitialised();
    let client = vault.anonymous();
    assert_eq!(client.get("sys/init").ok().json()["initialized"], false);
    client.get("sys/health").is(501);
    client.get("secret/x").is(503);
    vault.initialise(3, 2);
    client.post("sys/init", json!({"secret_shares": 1, "secret_threshold": 1})).refuses(400, "already initialized");
    client.get("sys/health").is(503);
    vault.root().get("sys/mounts").refuses(503, "Vault is sealed");
    client.post("sys/unseal", json!({"key": "not a share"})).is(400);
    let first = client.post("sys/unseal", json!({"key": vault.shares[0]})).ok().json();
    assert_eq!(
        (&first["sealed"], &first["progress"], &first["t"], &first["n"]),
        (&json!(true), &json!(1), &json!(2), &json!(3))
    );
    // The same share again counts once.
    assert_eq!(client.post("sys/unseal", json!({"key": vault.shares[0]})).ok().json()["progress"], 1);
    assert_eq!(client.post("sys/unseal", json!({"reset": true})).ok().json()["progress"], 0);
    client.post("sys/unseal", json!({"key": vault.shares[0]})).ok();
    let last = client.post("sys/unseal", json!({"key": vault.shares[2]})).ok().json();
    assert_eq!(last["sealed"], false);
    client.get("sys/health").is(200);
    vault.root().post("cubbyhole/kept", json!({"a": "b"})).ok();

    client.post("sys/seal", json!({})).is(403);
    vault
        .with_policy("no-seal", "path \"sys/seal\" { capabilities = [\"update\"] }")
        .post("sys/seal", json!({}))
        .is(403);
    vault.root().post("sys/seal", json!({})).is(204);
    assert_eq!(client.get("sys/seal-status").ok().json()["sealed"], true);
    vault.root().get("cubbyhole/kept").is(503);
    vault.unseal();
    assert_eq!(vault.root().get("cubbyhole/kept").data(), json!({"a": "b"}));
}

#[test]
fn wrong_shares_do_not_unseal() {
    let vault = TestVault::new();
    let other = TestVault::new();
    vault.root().post("sys/seal", json!({})).ok();
    let client = vault.anonymous();
    client.post("sys/unseal", json!({"key": other.shares[0]})).ok();
    client.post("sys/unseal", json!({"key": other.shares[1]})).is(400);
    assert_eq!(client.get("sys/seal-status").ok().json()["sealed"], true);
    vault.unseal();
}

#[test]
fn health_takes_the_callers_codes() {
    let vault = TestVault::new();
    let client = vault.anonymous();
    client.get("sys/health?activecode=299").is(299);
    // With these statuses an answer has no body, whatever there is to say.
    for status in [204, 205, 304] {
        assert_eq!(client.get(&format!("sys/health?activecode={status}")).is(status).text, "");
    }
    for query in ["activecode=", "activecode=1000", "standbycode=x", "standbyok=yes"] {
        client.get(&format!("sys/health?{query}")).is(400);
    }
    client.get("sys/health?standbyok&perfstandbyok=x&performancestandbycode=x&drsecondarycode=x").is(200);
    let health = client.get("sys/health").ok().json();
    assert_eq!(health["audit"], json!({"enabled": 1, "failing": 0}));
    assert_eq!((&health["replication_dr_mode"], &health["standby"]), (&json!("disabled"), &json!(false)));
    assert_eq!(client.send("HEAD", "sys/health", None).is(200).text, "");
    vault.root().post("sys/seal", json!({})).ok();
    client.get("sys/health?sealedcode=298").is(298);
    let health = client.get("sys/health?sealedcode=200").ok().json();
    assert_eq!((&health["replication_dr_mode"], &health["standby"]), (&json!("unknown"), &json!(true)));
    assert!(health.get("audit").is_none() && health.get("cluster_id").is_none());
    client.get("sys/health?sealedcode=nonsense").is(400);
}

#[test]
fn thresholds_that_make_no_sense_are_refused() {
    let vault = uninitialised();
    let client = vault.anonymous();
    for (shares, threshold) in [(0, 0), (2, 3), (3, 1), (256, 2), (-1, -1)] {
        let body = json!({"secret_shares": shares, "secret_threshold": threshold});
        client.post("sys/init", body).is(400);
    }
    assert_eq!(client.get("sys/init").ok().json()["initialized"], false);
}

#[test]
fn a_blank_key_is_no_key_and_gives_no_share_in_the_clear() {
    let vault = uninitialised();
    let client = vault.anonymous();
    for blank in [json!([""]), json!(" "), json!([null])] {
        let body = json!({"secret_shares": 1, "secret_threshold": 1, "pgp_keys": blank});
        client.post("sys/init", body).is(400);
        assert_eq!(client.get("sys/init").ok().json()["initialized"], false, "{blank}");
    }
}
