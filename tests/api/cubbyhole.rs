//! `/v1/cubbyhole/*`: what only one token can see.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::support::{Setup, TestVault, Watched, Watcher, eventually};

/// Is slow to write whatever is called `slow`.
#[derive(Debug)]
struct Slow {
    waiting: AtomicUsize,
    goes_on: Semaphore,
}

#[async_trait]
impl Watcher for Slow {
    async fn before(&self, keys: &[&str]) {
        if keys.iter().any(|key| key.ends_with("/slow")) {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            self.goes_on.acquire().await.expect("it is never closed").forget();
        }
    }
}

/// How many secrets are in all cubbyholes.
fn records(vault: &TestVault) -> usize {
    let unsealed = vault.unsealed();
    let uuid = unsealed.mounts.at("cubbyhole/").unwrap().entry.uuid.clone();
    vault.run(unsealed.view(&format!("mount/{uuid}")).scan("")).unwrap().len()
}

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
    let holder = vault.with_token(json!({"policies": ["default"]}));
    holder.post("cubbyhole/a", json!({"x": "1"})).ok();
    assert_eq!(records(&vault), 1);
    holder.post("auth/token/revoke-self", json!({})).ok();
    eventually("the cubbyhole is empty", || (records(&vault) == 0).then_some(()));
}

#[test]
fn nothing_is_put_into_that_of_a_token_that_is_revoked_meanwhile() {
    let storage = Arc::new(Watched::new(Slow { waiting: AtomicUsize::new(0), goes_on: Semaphore::new(0) }));
    let vault = Setup { storage: storage.clone(), ..Setup::default() }.start();
    let holder = vault.with_token(json!({"policies": ["default"]}));
    let writer = holder.clone();
    let writing = std::thread::spawn(move || writer.post("cubbyhole/slow", json!({"x": "1"})));
    eventually("the write", || (storage.watcher.waiting.load(Ordering::SeqCst) > 0).then_some(()));
    vault.root().post("auth/token/revoke", json!({"token": holder.token()})).ok();
    holder.get("auth/token/lookup-self").is(403);
    // If it is tried again it is not to wait again.
    storage.watcher.goes_on.add_permits(100);
    writing.join().unwrap().is(403);
    assert_eq!(records(&vault), 0);
}
