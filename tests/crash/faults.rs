//! Each single commit of an operation fails, in every way, and nothing is half done.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arca::storage::fault::{FaultyStorage, Moment};
use arca::storage::{Batch, MemoryStorage, Storage, StorageError};
use serde_json::{Value, json};

use super::operations::{OPERATIONS, Operation, State, lease};
use super::rounds;
use crate::api::database::{CREATE, configure, users};
use crate::support::postgres::Postgres;
use crate::support::{Answer, Setup, TestVault, eventually};

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// There was no room for it. There is for the next one, and the server goes on.
    NoRoom,
    /// The disk failed before it was written. The store is read-only from then on, and the server is started again.
    Lost,
    /// The disk failed when it was to be synced, but it is there. The store is read-only from then on.
    Written,
    /// It succeeds, as all others do, and none of them is there when the server is started again: as no store may do.
    Forgotten,
}

/// The quick run leaves out the way that a vault cannot tell from a lack of room that stays.
pub(super) fn ways() -> &'static [Way] {
    if rounds().is_some() { &[Way::NoRoom, Way::Written, Way::Lost] } else { &[Way::NoRoom, Way::Written] }
}

impl Way {
    /// Has it so.
    pub(super) fn apply(self, storage: &FaultyStorage, commit: u64) {
        match self {
            Self::NoRoom => storage.fail_commit(commit, Moment::Before, StorageError::Full),
            Self::Lost => storage.break_at_commit(commit, Moment::Before, failed()),
            Self::Written => storage.break_at_commit(commit, Moment::After, failed()),
            Self::Forgotten => {}
        }
    }
}

/// What a disk that fails answers.
pub(super) fn failed() -> StorageError {
    StorageError::Failed("the disk failed".into())
}

/// What came of all faults.
#[derive(Default)]
pub(super) struct Figures {
    /// Operations that met one.
    pub(super) faults: u64,
    /// Operations that were answered with success, whether or not a commit of theirs failed.
    pub(super) acknowledged: u64,
    /// What should be there and is not, or the other way round.
    pub(super) losses: Vec<String>,
}

impl Figures {
    /// The end of a line of figures. Fails if anything was lost.
    pub(super) fn end(self, line: &str) {
        let Self { faults, acknowledged, losses } = self;
        println!("torture: {line} faults={faults} acknowledged={acknowledged} lost={}", losses.len());
        assert!(losses.is_empty(), "{losses:#?}");
        assert!(acknowledged > 0, "nothing was acknowledged, so nothing could be lost");
    }
}

/// An operation with one commit failing.
struct Fault<'a> {
    operation: &'a Operation<'a>,
    way: Way,
    /// The failing commit, counted from 1.
    number: u64,
}

impl Fault<'_> {
    /// What must be there of the operation after `answer`; nothing if nobody can know.
    fn expected(&self, answer: &Answer, was_hit: bool) -> Option<State> {
        let no_room = answer.status == 503 && answer.text.contains("the disk is full");
        match self.way {
            _ if (200..300).contains(&answer.status) => Some(State::After),
            // Nothing of it was written before; what a commit behind the first met is not undone.
            Way::NoRoom if self.number == 1 && no_room => Some(State::Before),
            // And nothing was written behind it.
            Way::Lost if self.number == 1 && was_hit => Some(State::Before),
            Way::NoRoom | Way::Lost | Way::Written | Way::Forgotten => None,
        }
    }

    /// Compares what is there with what must be. What is there.
    fn judge(&self, vault: &TestVault, answer: &Answer, expected: Option<State>, losses: &mut Vec<String>) -> State {
        let found = (self.operation.found)(vault, answer);
        if expected.is_some_and(|expected| found != expected) {
            losses.push(format!("{self}: answered {}: {}; {found:?} is there", answer.status, answer.text));
        }
        found
    }
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} at commit {}", self.operation.name, self.way, self.number)
    }
}

/// Shares that unseal instead of those that a vault was made with.
type OtherShares = RefCell<Option<Vec<String>>>;

#[test]
fn a_commit_that_fails_leaves_nothing_half_done() {
    let mut figures = Figures::default();
    for operation in &OPERATIONS {
        let commits = interrupt_everywhere(operation, &OtherShares::default(), &mut figures);
        assert!(commits > 0, "{} commits nothing", operation.name);
    }
    figures.end(&format!("faults operations={}", OPERATIONS.len()));
}

#[test]
fn a_store_that_forgets_is_noticed() {
    for operation in &OPERATIONS {
        let mut figures = Figures::default();
        interrupted(&Fault { operation, way: Way::Forgotten, number: 1 }, &OtherShares::default(), &mut figures);
        assert_eq!((figures.acknowledged, figures.losses.len()), (1, 1), "{}", operation.name);
    }
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
            let give = |share| root.post("sys/rotate/root/update", json!({"nonce": nonce, "key": share}));
            let mut answers: Vec<_> = vault.shares.iter().map(give).collect();
            let last = answers.pop().unwrap();
            let made = last.json()["data"].take();
            let Some(new) = made["keys_base64"][0].as_str() else { return last };
            *others.borrow_mut() = Some(vec![new.to_owned()]);
            root.post("sys/rotate/root/verify", json!({"nonce": made["verification_nonce"], "key": new}))
        },
        // The vault was made with two shares.
        found: &|vault, _| match vault.anonymous().get("sys/seal-status").ok().json()["n"].as_u64() {
            Some(2) => State::Before,
            Some(1) => State::After,
            _ => State::Between,
        },
        check: &|vault| drop(vault.root().get("cubbyhole/a").ok()),
    };
    let mut figures = Figures::default();
    let commits = interrupt_everywhere(&operation, &others, &mut figures);
    assert!(commits > 0, "new shares are written nowhere");
    assert!(others.borrow().is_some(), "there were no new shares");
    figures.end("faults-rekey");
}

#[test]
fn no_user_of_a_database_is_left_without_a_lease() {
    let server = Postgres::start();
    let prepare = |vault: &TestVault| configure(&vault.root(), &server, CREATE);
    let ended = |vault: &TestVault| {
        // What was intended and never happened is undone after a while; no user is there without an owner meanwhile.
        // In this order: a revocation that goes on meanwhile ends the user first, and then the lease.
        let leases = vault.lease_count();
        assert!(users(&server) <= leases, "a user without a lease");
        vault.advance(Duration::from_mins(6));
        eventually("users and leases are the same", || (users(&server) == vault.lease_count()).then_some(()));
        vault.root().post("sys/leases/revoke-prefix/database/creds", json!({"sync": true}));
        eventually("all leases are gone", || (vault.lease_count() == 0).then_some(()));
        eventually("all users are gone", || (users(&server) == 0).then_some(()));
    };
    let counts = |vault: &TestVault| (vault.lease_count(), users(&server));
    let make = Operation {
        name: "creds",
        manual_clock: true,
        prepare: &prepare,
        act: &|vault| vault.root().get("database/creds/app"),
        found: &|vault, answer| match (counts(vault), answer.json()["data"]["username"].as_str()) {
            ((1, 1), Some(name)) if server.query("select rolname from pg_roles where rolname like 'v-%'") == name => {
                State::After
            }
            ((0, 0), _) => State::Before,
            _ => State::Between,
        },
        check: &ended,
    };
    let end = Operation {
        name: "creds-revoke",
        prepare: &|vault| {
            prepare(vault);
            vault.root().get("database/creds/app").ok();
        },
        act: &|vault| vault.root().post("sys/leases/revoke-prefix/database/creds", json!({"sync": true})),
        found: &|vault, _| match counts(vault) {
            (1, 1) => State::Before,
            (0, 0) => State::After,
            _ => State::Between,
        },
        ..make
    };
    let renew = Operation {
        name: "creds-renew",
        act: &|vault| vault.root().post("sys/leases/renew", json!({"lease_id": lease(vault), "increment": 1800})),
        found: &|vault, _| {
            let standing = lease(vault).map(|id| vault.root().post("sys/leases/lookup", json!({ "lease_id": id })));
            match standing.and_then(|answer| answer.data()["ttl"].as_u64()) {
                // Some seconds go by until the server is there again.
                Some(601..=1800) => State::After,
                Some(1..=600) => State::Before,
                _ => State::Between,
            }
        },
        ..end
    };
    let mut figures = Figures::default();
    for operation in [&make, &end, &renew] {
        let commits = interrupt_everywhere(operation, &OtherShares::default(), &mut figures);
        assert!(commits > 0, "{} commits nothing", operation.name);
    }
    figures.end(&format!("faults-database users_left={}", users(&server)));
}

/// Does an operation with its first commit failing, then with its second, and so on to its last, in every way. How many
/// commits it has.
fn interrupt_everywhere(operation: &Operation<'_>, others: &OtherShares, figures: &mut Figures) -> u64 {
    let mut number = 0;
    loop {
        let mut was_hit = false;
        for &way in ways() {
            *others.borrow_mut() = None;
            was_hit |= interrupted(&Fault { operation, way, number: number + 1 }, others, figures);
        }
        if !was_hit {
            return number;
        }
        number += 1;
        assert!(number < 30, "{} has no end", operation.name);
    }
}

/// Does an operation with one commit failing; whether it has so many commits.
fn interrupted(fault: &Fault<'_>, others: &OtherShares, figures: &mut Figures) -> bool {
    println!("{fault}");
    let &Fault { operation, way, number } = fault;
    let memory: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let faulty = Arc::new(FaultyStorage::new(memory.clone()));
    let setup = |storage| {
        let manual_clock = operation.manual_clock;
        Setup { storage, manual_clock, audited: false, ..Setup::default() }
    };
    let vault = setup(faulty.clone()).start();
    (operation.prepare)(&vault);
    let (shares, token) = (vault.shares.clone(), vault.root().token().to_owned());
    let before = (way == Way::Forgotten).then(|| copied(&vault, &*memory));
    let last = faulty.commits() + number;
    way.apply(&faulty, last);
    let answer = (operation.act)(&vault);
    let was_hit = faulty.commits() >= last;
    if !was_hit {
        faulty.mend();
    }
    let mut expected = fault.expected(&answer, was_hit);
    figures.faults += u64::from(was_hit);
    figures.acknowledged += u64::from(expected == Some(State::After));
    let known = figures.losses.len();
    if way == Way::NoRoom {
        // Operators get it open by themselves if it is closed, and go on.
        open(&vault, &shares, others);
        fault.judge(&vault, &answer, expected, &mut figures.losses);
        (operation.check)(&vault);
        // Whatever the check has made of it.
        expected = Some((operation.found)(&vault, &answer));
    }
    vault.crash();
    let mut again = setup(before.unwrap_or(memory)).start();
    again.adopt(&shares, &token);
    open(&again, &shares, others);
    fault.judge(&again, &answer, expected, &mut figures.losses);
    if way == Way::Forgotten || figures.losses.len() > known {
        // It is known what is wrong.
        again.crash();
        return was_hit;
    }
    (operation.check)(&again);
    let report = again.root().post("sys/storage/check", json!({})).data();
    let unaccounted = |finding: &&Value| finding["fault"] == "unaccounted";
    assert_eq!(report["findings"].as_array().unwrap().iter().find(unaccounted), None);
    assert!(report["ledger_since"].is_string());
    was_hit
}

/// A store of its own with what is in `storage` now.
fn copied(vault: &TestVault, storage: &dyn Storage) -> Arc<dyn Storage> {
    let (mut snapshot, mut batch) = (storage.snapshot().unwrap(), Batch::new());
    loop {
        let page = snapshot.next_page().unwrap();
        if page.is_empty() {
            break;
        }
        for stored in page {
            batch.put(stored.key, stored.value.unwrap());
        }
    }
    let copy = MemoryStorage::new();
    vault.run(copy.commit(batch)).unwrap();
    Arc::new(copy)
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
