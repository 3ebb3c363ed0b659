//! `/v1/cubbyhole/*`: what only one token can see.

use serde_json::json;

use crate::support::TestVault;

#[test]
fn every_token_has_one_of_its_own() {
    let vault = TestVault::new();
    let (one, other) =
        (vault.with_token(json!({"policies": ["default"]})), vault.with_token(json!({"policies": ["default"]})));
    one.post("cubbyhole/a/b", json!({"x": "1"})).is(204);
    assert_eq!(one.get("cubbyhole/a/b").data(), json!({"x": "1"}));
    assert_eq!(one.list("cubbyhole").data()["keys"], json!(["a/"]));
    other.get("cubbyhole/a/b").is(404);
    other.list("cubbyhole").is(404);
    vault.root().get("cubbyhole/a/b").is(404);
    vault.anonymous().get("cubbyhole/a/b").is(403);
    one.delete("cubbyhole/a/b").is(204);
    one.get("cubbyhole/a/b").is(404);
}

#[test]
fn it_goes_with_its_token() {
    let vault = TestVault::new();
    let records = || {
        let unsealed = vault.unsealed();
        let uuid = unsealed.mounts.at("cubbyhole/").unwrap().entry.uuid.clone();
        vault.run(unsealed.view(&format!("mount/{uuid}")).scan("")).unwrap().len()
    };
    let holder = vault.with_token(json!({"policies": ["default"]}));
    holder.post("cubbyhole/a", json!({"x": "1"})).ok();
    assert_eq!(records(), 1);
    holder.post("auth/token/revoke-self", json!({})).ok();
    crate::support::eventually("the cubbyhole is empty", || (records() == 0).then_some(()));
}
