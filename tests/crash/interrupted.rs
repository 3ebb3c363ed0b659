//! An operation meets a failure of the store, and what was acknowledged is compared with what is there: in the server that
//! goes on, and in one that is started after it has ended at once.

use std::fmt;

use serde_json::{Value, json};

use super::medium::Medium;
use super::operations::{Operation, State};
use super::shares::OtherShares;
use crate::support::{Answer, Setup, TestVault};

/// What came of all faults.
#[derive(Default)]
pub(super) struct Figures {
    /// Operations that met one.
    pub(super) faults: u64,
    /// Operations that were answered with success, whether or not a commit of theirs failed.
    pub(super) acknowledged: u64,
    /// Operations that were refused so that nothing of them may be there.
    pub(super) refused: u64,
    /// What should be there and is not, or the other way round.
    pub(super) losses: Vec<String>,
}

impl Figures {
    /// The end of a line of figures. Fails if anything was lost.
    pub(super) fn end(self, line: &str) {
        let Self { faults, acknowledged, refused, losses } = self;
        let lost = losses.len();
        println!("torture: {line} faults={faults} acknowledged={acknowledged} refused={refused} lost={lost}");
        assert!(losses.is_empty(), "{losses:#?}");
        assert!(acknowledged > 0, "nothing was acknowledged, so nothing could be lost");
    }
}

/// An operation over a store that fails once.
struct Fault<'a> {
    operation: &'a Operation<'a>,
    medium: &'a mut dyn Medium,
}

impl Fault<'_> {
    /// What must be there of the operation after `answer`; nothing if nobody can know.
    fn expected(&self, vault: &TestVault, answer: &Answer) -> Option<State> {
        let no_room = answer.status >= 500 && answer.text.contains("the disk is full");
        let was_refused = if self.medium.goes_on() { no_room } else { self.medium.was_hit() };
        match answer.status {
            200..300 => Some(State::After),
            _ if was_refused && self.medium.spared(vault) => Some(State::Before),
            _ => None,
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
        write!(f, "{}: {}", self.operation.name, self.medium)
    }
}

/// Does an operation over a store that fails once; whether it has met the failure.
pub(super) fn interrupted(
    operation: &Operation<'_>,
    medium: &mut dyn Medium,
    others: &OtherShares,
    figures: &mut Figures,
) -> bool {
    println!("{}: {medium}", operation.name);
    let setup = |storage| {
        let manual_clock = operation.manual_clock;
        Setup { storage, manual_clock, audited: false, ..Setup::default() }
    };
    let vault = setup(medium.storage()).start();
    (operation.prepare)(&vault);
    let (shares, token) = (vault.shares.clone(), vault.root().token().to_owned());
    medium.fail(&vault);
    let answer = (operation.act)(&vault);
    let was_hit = medium.was_hit();
    if !was_hit {
        medium.mend();
    }
    let fault = Fault { operation, medium };
    let mut expected = fault.expected(&vault, &answer);
    figures.faults += u64::from(was_hit);
    figures.acknowledged += u64::from(expected == Some(State::After));
    figures.refused += u64::from(expected == Some(State::Before));
    let known = figures.losses.len();
    if fault.medium.goes_on() {
        // Operators get it open by themselves if it is closed, and go on.
        open(&vault, &shares, others);
        fault.judge(&vault, &answer, expected, &mut figures.losses);
        (operation.check)(&vault);
        // Whatever the check has made of it.
        expected = Some((operation.found)(&vault, &answer));
    }
    vault.crash();
    let mut again = setup(fault.medium.left()).start();
    again.adopt(&shares, &token);
    open(&again, &shares, others);
    fault.judge(&again, &answer, expected, &mut figures.losses);
    if figures.losses.len() > known {
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
