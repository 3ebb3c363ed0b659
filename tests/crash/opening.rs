//! Initialisations and unsealings that fail are done again, or were done.

use std::sync::Arc;

use arca::storage::MemoryStorage;
use arca::storage::fault::FaultyStorage;
use serde_json::json;

use super::faults::ways;
use super::interrupted::Figures;
use super::medium::{Commits, Medium, Way, failed};
use crate::support::{Answer, Setup, TestVault};

#[test]
fn an_unsealing_whose_reads_fail_is_done_again() {
    let faulty = Arc::new(FaultyStorage::new(Arc::new(MemoryStorage::new())));
    let vault = Setup { storage: faulty.clone(), audited: false, ..Setup::default() }.start();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    root.post("kv/a", json!({"n": 1})).ok();
    root.post("identity/entity/name/e", json!({"metadata": {"n": "1"}})).ok();
    root.post("sys/policies/acl/p", json!({"policy": "path \"kv/a\" { capabilities = [\"read\"] }"})).ok();
    root.post("auth/token/create", json!({"id": "holder", "policies": ["p"], "ttl": "1h"})).ok();
    let everything = || {
        let read = vault.root().with_token("holder").get("kv/a").data()["n"].clone();
        let mounted = [root.get("sys/mounts"), root.get("sys/auth"), root.get("identity/entity/name/e")];
        (read, mounted.map(Answer::data), vault.lease_count())
    };
    let before = everything();
    let (mut number, mut refused, mut sealed) = (0, 0, 0);
    loop {
        number += 1;
        root.post("sys/seal", json!({})).ok();
        let first = faulty.reads() + number;
        faulty.fail_read(first, failed());
        let answers: Vec<_> =
            vault.shares.iter().map(|share| vault.anonymous().post("sys/unseal", json!({ "key": share }))).collect();
        let was_hit = faulty.reads() >= first;
        faulty.mend();
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            let words = answer.json()["errors"][0].as_str().map(str::to_owned);
            assert!(words.is_some_and(|words| words.len() > 10), "read {number}: {}", answer.text);
            refused += 1;
        }
        let is_sealed = vault.anonymous().get("sys/seal-status").ok().json()["sealed"] == true;
        assert_eq!(is_sealed, answers.iter().any(|answer| answer.status != 200), "read {number}: it says so");
        if is_sealed {
            sealed += 1;
            vault.unseal();
        }
        assert_eq!(everything(), before, "read {number}");
        if !was_hit {
            break;
        }
        assert!(number < 1000, "it has no end");
    }
    assert!(sealed > 0, "an unsealing reads nothing");
    println!("torture: faults-unseal reads={} refused={refused} lost=0", number - 1);
}

#[test]
fn an_initialisation_that_fails_is_done_again_or_was_done() {
    let (mut number, mut figures) = (0, Figures::default());
    loop {
        number += 1;
        let mut hits = 0;
        for &way in ways() {
            let Initialised { was_hit, was_made, is_there } = initialise(&mut Commits::new(way, number), &mut figures);
            assert_eq!(was_made, !was_hit, "{way:?} at commit {number}");
            assert!(way != Way::Lost || was_made || !is_there, "half of it is there: commit {number}");
            hits += u64::from(was_hit);
        }
        figures.faults += hits;
        if hits == 0 {
            break;
        }
        assert!(number < 30, "it has no end");
    }
    assert!(figures.faults > 0, "an initialisation commits nothing");
    figures.end("faults-init");
}

/// What became of an initialisation.
pub(super) struct Initialised {
    /// Whether it has met the failure.
    pub(super) was_hit: bool,
    /// Whether it was answered with success.
    pub(super) was_made: bool,
    /// Whether a server that is started then finds a vault.
    pub(super) is_there: bool,
}

/// Initialises a vault over a store that fails once, and does it again if it was refused and left nothing.
pub(super) fn initialise(medium: &mut dyn Medium, figures: &mut Figures) -> Initialised {
    let sealed = |storage| Setup { storage, unsealed: false, audited: false, ..Setup::default() };
    let mut vault = sealed(medium.storage()).start();
    medium.fail(&vault);
    let made = vault.anonymous().post("sys/init", json!({"secret_shares": 1, "secret_threshold": 1}));
    let (was_hit, was_made) = (medium.was_hit(), made.status == 200);
    assert!(was_made || was_hit, "{medium}: {}", made.text);
    let spared = !was_made && medium.spared(&vault);
    let begun = !was_made && medium.goes_on();
    figures.refused += u64::from(spared);
    if begun {
        begin(&mut vault);
    }
    vault.crash();
    let mut again = sealed(medium.left()).start();
    let is_there = again.anonymous().get("sys/init").ok().json()["initialized"] == true;
    assert_eq!(again.anonymous().get("sys/seal-status").ok().json()["initialized"], is_there);
    if was_made {
        // Its shares were given out: they open it.
        figures.acknowledged += 1;
        let share = made.json()["keys_base64"][0].take();
        let opened = again.anonymous().post("sys/unseal", json!({ "key": share }));
        if !is_there || opened.status != 200 || opened.json()["sealed"] == true {
            figures.losses.push(format!("{medium}: an initialisation that was acknowledged: {}", opened.text));
        }
    } else if begun {
        assert!(is_there, "{medium}: what was begun again is not there");
    } else if is_there {
        // Nobody has its shares, and it says that it is there: the operator begins with an empty store.
        assert!(!spared, "{medium}: half of it is there");
    } else {
        begin(&mut again);
    }
    Initialised { was_hit, was_made, is_there }
}

fn begin(vault: &mut TestVault) {
    vault.initialise(1, 1);
    vault.unseal();
    vault.root().get("sys/mounts").ok();
}
