//! Each single commit of an operation fails, in every way, and nothing is half done.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use arca::storage::fault::{FaultyStorage, Moment};
use arca::storage::{MemoryStorage, Storage, StorageError};
use serde_json::{Value, json};

use super::operations::{OPERATIONS, Operation, lease};
use super::rounds;
use crate::api::database::{CREATE, configure, users};
use crate::support::postgres::Postgres;
use crate::support::{Setup, TestVault, eventually};

/// How a commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// There was no room for it. There is for the next one, and the server goes on.
    NoRoom,
    /// The disk failed before it was written. The store is read-only from then on, and the server is started again.
    Lost,
    /// The disk failed when it was to be synced, but it is there. The store is read-only from then on.
    Written,
}

/// The quick run leaves out the way that a vault cannot tell from a lack of room that stays.
fn ways() -> &'static [Way] {
    if rounds().is_some() { &[Way::NoRoom, Way::Written, Way::Lost] } else { &[Way::NoRoom, Way::Written] }
}

impl Way {
    fn apply(self, storage: &FaultyStorage, commit: u64) {
        match self {
            Self::NoRoom => storage.fail_commit(commit, Moment::Before, StorageError::Full),
            Self::Lost => storage.break_at_commit(commit, Moment::Before, failed()),
            Self::Written => storage.break_at_commit(commit, Moment::After, failed()),
        }
    }
}

fn failed() -> StorageError {
    StorageError::Failed("the disk failed".into())
}

/// Shares that unseal instead of those that a vault was made with.
type OtherShares = RefCell<Option<Vec<String>>>;

#[test]
fn a_commit_that_fails_leaves_nothing_half_done() {
    let mut faults = 0;
    for operation in &OPERATIONS {
        let commits = interrupt_everywhere(operation, &OtherShares::default());
        // Unsealing reads and does not write.
        assert!(commits > 0 || operation.name == "unseal", "{} commits nothing", operation.name);
        faults += commits * ways().len() as u64;
    }
    println!("torture: faults operations={} faults={faults} lost=0", OPERATIONS.len());
}

#[test]
fn new_shares_replace_the_present_ones_completely_or_not_at_all() {
    let others = OtherShares::default();
    let operation = Operation {
        name: "rekey",
        manual_clock: false,
        prepare: &|vault| drop(vault.root().post("cubbyhole/a", json!({"n": 1})).ok()),
        act: &|vault| {
            // A new share is shown before it counts, so that it cannot be lost with an answer.
            let root = vault.root();
            let wanted = json!({"secret_shares": 1, "secret_threshold": 1, "require_verification": true});
            let nonce = root.post("sys/rotate/root/init", wanted).ok().json()["data"]["nonce"].clone();
            let mut made = Value::Null;
            for share in &vault.shares {
                let answer = root.post("sys/rotate/root/update", json!({"nonce": nonce, "key": share}));
                made = answer.json()["data"].take();
            }
            let Some(new) = made["keys_base64"][0].as_str() else { return };
            *others.borrow_mut() = Some(vec![new.to_owned()]);
            root.post("sys/rotate/root/verify", json!({"nonce": made["verification_nonce"], "key": new}));
        },
        check: &|vault| drop(vault.root().get("cubbyhole/a").ok()),
    };
    let commits = interrupt_everywhere(&operation, &others);
    assert!(commits > 0, "new shares are written nowhere");
    assert!(others.borrow().is_some(), "there were no new shares");
    println!("torture: faults-rekey faults={} lost=0", commits * ways().len() as u64);
}

#[test]
fn no_user_of_a_database_is_left_without_a_lease() {
    let server = Postgres::start();
    let prepare = |vault: &TestVault| configure(&vault.root(), &server, CREATE);
    let ended = |vault: &TestVault| {
        // What was intended and never happened is undone after a while; no user is there without an owner meanwhile.
        assert!(users(&server) <= vault.lease_count(), "a user without a lease");
        vault.advance(Duration::from_mins(6));
        eventually("users and leases are the same", || (users(&server) == vault.lease_count()).then_some(()));
        vault.root().post("sys/leases/revoke-prefix/database/creds", json!({"sync": true}));
        eventually("all leases are gone", || (vault.lease_count() == 0).then_some(()));
        eventually("all users are gone", || (users(&server) == 0).then_some(()));
    };
    let make = Operation {
        name: "creds",
        manual_clock: true,
        prepare: &prepare,
        act: &|vault| drop(vault.root().get("database/creds/app")),
        check: &ended,
    };
    let end = Operation {
        name: "creds-revoke",
        prepare: &|vault| {
            prepare(vault);
            vault.root().get("database/creds/app").ok();
        },
        act: &|vault| {
            let path = "sys/leases/revoke-prefix/database/creds";
            drop(vault.root().post(path, json!({"sync": true})));
        },
        ..make
    };
    let renew = Operation {
        name: "creds-renew",
        act: &|vault| drop(vault.root().post("sys/leases/renew", json!({"lease_id": lease(vault), "increment": 1800}))),
        ..end
    };
    let mut faults = 0;
    for operation in [&make, &end, &renew] {
        let commits = interrupt_everywhere(operation, &OtherShares::default());
        assert!(commits > 0, "{} commits nothing", operation.name);
        faults += commits * ways().len() as u64;
    }
    println!("torture: faults-database faults={faults} users_left={} lost=0", users(&server));
}

/// Does an operation with its first commit failing, then with its second, and so on to its last, in every way. How many
/// commits it has.
fn interrupt_everywhere(operation: &Operation<'_>, others: &OtherShares) -> u64 {
    let mut number = 0;
    loop {
        let mut was_hit = false;
        for &way in ways() {
            *others.borrow_mut() = None;
            was_hit |= interrupted(operation, way, number + 1, others);
        }
        if !was_hit {
            return number;
        }
        number += 1;
        assert!(number < 30, "{} has no end", operation.name);
    }
}

/// Does an operation with its `number`-th commit failing; whether it has so many commits.
fn interrupted(operation: &Operation<'_>, way: Way, number: u64, others: &OtherShares) -> bool {
    println!("{}: {way:?} at commit {number}", operation.name);
    let memory: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let faulty = Arc::new(FaultyStorage::new(memory.clone()));
    let setup = |storage| {
        let manual_clock = operation.manual_clock;
        Setup { storage, manual_clock, audited: false, ..Setup::default() }
    };
    let vault = setup(faulty.clone()).start();
    (operation.prepare)(&vault);
    let (shares, token) = (vault.shares.clone(), vault.root().token().to_owned());
    let last = faulty.commits() + number;
    way.apply(&faulty, last);
    (operation.act)(&vault);
    let was_hit = faulty.commits() >= last;
    if !was_hit {
        faulty.mend();
    }
    if way == Way::NoRoom {
        // Operators get it open by themselves if it is closed, and go on.
        open(&vault, &shares, others);
        (operation.check)(&vault);
    }
    vault.crash();
    let mut again = setup(memory).start();
    again.adopt(&shares, &token);
    open(&again, &shares, others);
    (operation.check)(&again);
    let report = again.root().post("sys/storage/check", json!({})).data();
    let unaccounted = |finding: &&Value| finding["fault"] == "unaccounted";
    assert_eq!(report["findings"].as_array().unwrap().iter().find(unaccounted), None);
    assert!(report["ledger_since"].is_string());
    was_hit
}

/// Unseals a vault with its shares, or with the others if it does not take those.
fn open(vault: &TestVault, shares: &[String], others: &OtherShares) {
    let client = vault.anonymous();
    let others = others.borrow();
    for shares in [Some(shares), others.as_deref()].into_iter().flatten() {
        for share in shares {
            if client.get("sys/seal-status").ok().json()["sealed"] == false {
                return;
            }
            client.post("sys/unseal", json!({ "key": share }));
        }
    }
    assert_eq!(client.get("sys/seal-status").ok().json()["sealed"], false, "no shares unseal it");
}

#[test]
fn an_initialisation_that_fails_is_done_again_or_was_done() {
    let (mut number, mut faults) = (0, 0);
    loop {
        number += 1;
        let hits = ways().iter().filter(|way| initialisation_interrupted(**way, number)).count();
        faults += hits;
        if hits == 0 {
            break;
        }
        assert!(number < 30, "it has no end");
    }
    assert!(faults > 0, "an initialisation commits nothing");
    println!("torture: faults-init faults={faults} lost=0");
}

/// Whether an initialisation has so many commits.
fn initialisation_interrupted(way: Way, number: u64) -> bool {
    let memory: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let faulty = Arc::new(FaultyStorage::new(memory.clone()));
    way.apply(&faulty, number);
    let sealed = |storage| Setup { storage, unsealed: false, audited: false, ..Setup::default() };
    let mut vault = sealed(faulty.clone()).start();
    let body = json!({"secret_shares": 1, "secret_threshold": 1});
    let made = vault.anonymous().post("sys/init", body).status;
    let was_hit = faulty.commits() >= number;
    assert_eq!(made == 200, !was_hit);
    if way == Way::NoRoom && was_hit {
        begin(&mut vault);
    }
    vault.crash();
    let mut again = sealed(memory).start();
    let initialised = again.anonymous().get("sys/init").ok().json()["initialized"] == true;
    match (way, was_hit) {
        (Way::Lost, true) => {
            assert!(!initialised, "half of it is there");
            begin(&mut again);
        }
        // Nobody has its shares, and it says that it is there: the operator begins with an empty store.
        (Way::Written, true) => {
            assert_eq!(again.anonymous().get("sys/seal-status").ok().json()["initialized"], initialised);
        }
        (Way::NoRoom, true) | (_, false) => assert!(initialised),
    }
    was_hit
}

fn begin(vault: &mut TestVault) {
    vault.initialise(1, 1);
    vault.unseal();
    vault.root().get("sys/mounts").ok();
}
