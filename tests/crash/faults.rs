//! Each single commit of an operation fails, in every way, and nothing is half done.

use super::credentials::each;
use super::interrupted::{Figures, interrupted};
use super::medium::{Commits, Way};
use super::operations::{OPERATIONS, Operation};
use super::rounds;
use super::shares::{OtherShares, rekey};
use crate::api::database::users;
use crate::support::postgres::Postgres;

/// The quick run leaves out the way that a vault cannot tell from a lack of room that stays.
pub(super) fn ways() -> &'static [Way] {
    if rounds().is_some() { &[Way::NoRoom, Way::Written, Way::Lost] } else { &[Way::NoRoom, Way::Written] }
}

#[test]
fn a_commit_that_fails_leaves_nothing_half_done() {
    let mut figures = Figures::default();
    for operation in &OPERATIONS {
        let commits = interrupt_everywhere(operation, &OtherShares::default(), &mut figures);
        assert!(commits > 0, "{} commits nothing", operation.name);
    }
    assert!(figures.refused > 0, "no operation was refused, so nothing could be there of one");
    figures.end(&format!("faults operations={}", OPERATIONS.len()));
}

#[test]
fn a_store_that_forgets_is_noticed() {
    for operation in &OPERATIONS {
        let mut figures = Figures::default();
        interrupted(operation, &mut Commits::new(Way::Forgotten, 1), &OtherShares::default(), &mut figures);
        assert_eq!((figures.acknowledged, figures.losses.len()), (1, 1), "{}", operation.name);
    }
}

#[test]
fn new_shares_replace_the_present_ones_completely_or_not_at_all() {
    let (others, mut figures) = (OtherShares::default(), Figures::default());
    rekey(&others, &mut |operation| {
        let commits = interrupt_everywhere(operation, &others, &mut figures);
        assert!(commits > 0, "new shares are written nowhere");
    });
    assert!(others.borrow().is_some(), "there were no new shares");
    figures.end("faults-rekey");
}

#[test]
fn no_user_of_a_database_is_left_without_a_lease() {
    let (server, mut figures) = (Postgres::start(), Figures::default());
    each(&server, &mut |operation| {
        let commits = interrupt_everywhere(operation, &OtherShares::default(), &mut figures);
        assert!(commits > 0, "{} commits nothing", operation.name);
    });
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
            was_hit |= interrupted(operation, &mut Commits::new(way, number + 1), others, figures);
        }
        if !was_hit {
            return number;
        }
        number += 1;
        assert!(number < 30, "{} has no end", operation.name);
    }
}
