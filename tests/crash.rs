//! What was acknowledged is there after a crash, and nothing is half done.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use arca::chain::{Link, Start, Verifier, VerifyingKey};
use arca::entropy::{Entropy, SystemEntropy};
use arca::storage::fault::{FaultyStorage, Moment};
use arca::storage::{MemoryStorage, Storage, StorageError};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Certificates, Process, Setup, TestVault, eventually};

const KILLS: usize = 5;
const WRITERS: usize = 3;

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    let mut process = Process::start(folder.path(), &certificates);
    let (share, token) = process.initialise();
    process.unseal(&share);
    let root = process.anonymous().with_token(&token);
    root.post("sys/mounts/kv", json!({"type": "kv", "options": {"version": "2"}})).ok();
    let public = root.get("sys/config/auditing/public-key").data()["public_key"].as_str().unwrap().to_owned();
    let written: Mutex<BTreeMap<String, u64>> = Mutex::default();
    let entropy = SystemEntropy::new();
    for _ in 0..KILLS {
        let random: [u8; 1] = (&entropy as &dyn Entropy).bytes().unwrap();
        // Each life lasts for some writes; which one it ends in the middle of is left to chance.
        let enough = 10 + u64::from(random[0]) / 4;
        let (count, over) = (AtomicU64::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let client = process.anonymous().with_token(&token);
                let (written, count, over) = (&written, &count, &over);
                scope.spawn(move || {
                    for number in 0.. {
                        let path = format!("kv/data/{writer}-{}", number % 7);
                        let body = json!({"data": {"n": number, "text": "x".repeat(200)}});
                        let answer = client.try_send("POST", &path, Some(body.to_string().as_bytes()));
                        let Ok(answer) = answer else { break };
                        let version = answer.data()["version"].as_u64().unwrap();
                        written.lock().unwrap().insert(path, version);
                        count.fetch_add(1, Ordering::SeqCst);
                        if over.load(Ordering::SeqCst) {
                            break;
                        }
                    }
                });
            }
            eventually("enough is written", || (count.load(Ordering::SeqCst) >= enough).then_some(()));
            process.kill();
            over.store(true, Ordering::SeqCst);
        });
        process = Process::start(folder.path(), &certificates);
        process.unseal(&share);
        let root = process.anonymous().with_token(&token);
        for (path, version) in written.lock().unwrap().iter_mut() {
            let read = root.get(path).data();
            assert_eq!(read["data"]["text"].as_str().unwrap().len(), 200);
            let current = read["metadata"]["version"].as_u64().unwrap();
            // One more may have been written without its writer hearing of it.
            assert!(
                (*version..=*version + 1).contains(&current),
                "{path}: {version} was acknowledged, {current} is there"
            );
            *version = current;
        }
    }
    assert!(process.stop(), "it ends well when it is asked to");
    let acknowledged: u64 = written.lock().unwrap().values().sum();
    the_log_is_whole(&folder.path().join("audit.log"), &public, acknowledged);
}

/// The log verifies, and has every write that was acknowledged.
fn the_log_is_whole(log: &Path, public: &str, acknowledged: u64) {
    let key = VerifyingKey::parse(public.trim()).unwrap();
    let mut verifier = Verifier::new(vec![key], Start::After(Link::GENESIS));
    verifier.read(&mut BufReader::new(fs::File::open(log).unwrap())).unwrap();
    let report = verifier.finish(None);
    assert!(report.is_intact(), "{report:?}");
    let log = fs::read_to_string(log).unwrap();
    let writes = log.lines().filter(|line| line.contains("\"type\":\"response\"") && line.contains("\"kv/data/"));
    assert!(
        writes.count() as u64 >= acknowledged - (KILLS * WRITERS) as u64,
        "an acknowledged write is not in the audit log"
    );
}

/// Something that is done to a vault and may be interrupted at each of its commits.
struct Step {
    name: &'static str,
    prepare: fn(&TestVault),
    act: fn(&TestVault),
    check: fn(&TestVault),
}

const STEPS: [Step; 7] = [
    Step {
        name: "unseal",
        prepare: |vault| drop(vault.root().post("sys/seal", json!({})).ok()),
        act: |vault| {
            for share in &vault.shares {
                vault.anonymous().post("sys/unseal", json!({ "key": share }));
            }
        },
        check: |vault| drop(vault.root().get("sys/mounts").ok()),
    },
    Step {
        name: "mount",
        prepare: |_| {},
        act: |vault| drop(vault.root().post("sys/mounts/kv", json!({"type": "kv"}))),
        check: |vault| {
            let root = vault.root();
            if root.get("sys/mounts").data().get("kv/").is_none() {
                root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
            }
            root.post("kv/a", json!({"x": 1})).ok();
            root.get("kv/a").ok();
        },
    },
    Step {
        name: "write",
        prepare: |vault| {
            vault.root().post("sys/mounts/kv", json!({"type": "kv-v2"})).ok();
            vault.root().post("kv/data/a", json!({"data": {"n": 1}})).ok();
        },
        act: |vault| drop(vault.root().post("kv/data/a", json!({"data": {"n": 2}}))),
        check: |vault| {
            let read = vault.root().get("kv/data/a").data();
            assert_eq!(read["data"]["n"], read["metadata"]["version"]);
            let metadata = vault.root().get("kv/metadata/a").data();
            assert_eq!(metadata["current_version"], read["metadata"]["version"]);
            assert_eq!(metadata["versions"].as_object().unwrap().len() as u64, read["data"]["n"].as_u64().unwrap());
        },
    },
    Step {
        name: "rotate",
        prepare: |vault| drop(vault.root().post("cubbyhole/a", json!({"n": 1})).ok()),
        act: |vault| {
            let _ = vault.run(vault.unsealed().core.rotate());
        },
        check: |vault| {
            let root = vault.root();
            root.get("cubbyhole/a").ok();
            root.post("cubbyhole/b", json!({"n": 2})).ok();
            vault.run(vault.unsealed().core.rotate()).unwrap();
            root.get("cubbyhole/a").ok();
            root.get("cubbyhole/b").ok();
        },
    },
    Step {
        name: "token",
        prepare: |_| {},
        act: |vault| drop(vault.root().post("auth/token/create", json!({"policies": ["default"], "ttl": "1h"}))),
        check: |vault| {
            let keys = vault.root().list("auth/token/accessors").data();
            for accessor in keys["keys"].as_array().unwrap() {
                vault.root().post("auth/token/lookup-accessor", json!({ "accessor": accessor })).ok();
            }
            // Each token but the root token has the lease that ends it, and no lease is without its token.
            assert_eq!(vault.lease_count(), keys["keys"].as_array().unwrap().len() - 1);
        },
    },
    Step {
        name: "revoke",
        prepare: |vault| {
            let parent =
                vault.with_policy("maker", "path \"auth/token/create\" { capabilities = [\"create\", \"update\"] }");
            parent.post("auth/token/create", json!({})).ok();
            parent.post("auth/token/create", json!({})).ok();
        },
        act: |vault| {
            drop(vault.root().post("sys/leases/revoke-prefix/auth/token/create", json!({"sync": true})));
        },
        check: |vault| {
            // Begun is begun: it ends by itself, or nothing has happened.
            vault.root().post("sys/leases/revoke-prefix/auth/token/create", json!({"sync": true})).ok();
            eventually("all leases are gone", || (vault.lease_count() == 0).then_some(()));
            assert_eq!(vault.root().list("auth/token/accessors").data()["keys"].as_array().unwrap().len(), 1);
        },
    },
    Step {
        name: "disable",
        prepare: |vault| {
            vault.root().post("sys/mounts/kv", json!({"type": "kv"})).ok();
            vault.root().post("kv/a", json!({"n": 1})).ok();
        },
        act: |vault| drop(vault.root().delete("sys/mounts/kv")),
        check: |vault| {
            let root = vault.root();
            if root.get("sys/mounts").data().get("kv/").is_some() {
                root.get("kv/a").ok();
                root.delete("sys/mounts/kv").ok();
            }
            let unsealed = vault.unsealed();
            eventually("the mount is gone", || {
                vault.run(unsealed.mounts.stored()).unwrap().iter().all(|entry| entry.path != "kv/").then_some(())
            });
            assert!(
                vault.run(unsealed.view("mount").scan("")).unwrap_or_default().iter().all(|key| !key.ends_with("/a"))
            );
        },
    },
];

#[test]
fn a_commit_that_fails_leaves_nothing_half_done() {
    for step in &STEPS {
        let mut number = 1;
        while interrupted(step, number) {
            number += 1;
            assert!(number < 30, "{} has no end", step.name);
        }
        // Unsealing reads and does not write.
        assert!(number > 1 || step.name == "unseal", "{} commits nothing", step.name);
    }
}

/// Does `step` with its `number`-th commit failing, in both ways; whether it has so many commits.
fn interrupted(step: &Step, number: u64) -> bool {
    let mut was_hit = false;
    for moment in [Moment::Before, Moment::After] {
        let memory: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let faulty = Arc::new(FaultyStorage::new(memory.clone()));
        let vault = Setup { storage: faulty.clone(), audited: false, ..Setup::default() }.start();
        (step.prepare)(&vault);
        let (shares, token) = (vault.shares.clone(), vault.root().token().to_owned());
        let last = faulty.commits() + number;
        faulty.break_at_commit(last, moment, StorageError::Full);
        (step.act)(&vault);
        was_hit |= faulty.commits() >= last;
        vault.crash();
        let mut again = Setup { storage: memory, audited: false, ..Setup::default() }.start();
        again.adopt(&shares, &token);
        again.unseal();
        (step.check)(&again);
    }
    was_hit
}

#[test]
fn an_initialisation_that_fails_can_be_done_again() {
    for number in 1..4 {
        let memory: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let faulty = Arc::new(FaultyStorage::new(memory.clone()));
        faulty.break_at_commit(number, Moment::Before, StorageError::Full);
        let vault = Setup { storage: faulty.clone(), unsealed: false, ..Setup::default() }.start();
        let body = json!({"secret_shares": 1, "secret_threshold": 1});
        let made = vault.anonymous().post("sys/init", body).status;
        let was_hit = faulty.commits() >= number;
        assert_eq!(made == 200, !was_hit);
        vault.crash();
        if was_hit {
            let mut again = Setup { storage: memory, unsealed: false, ..Setup::default() }.start();
            again.initialise(1, 1);
            again.unseal();
            again.root().get("sys/mounts").ok();
        }
    }
}
