//! Each write to a file of the store fails once, or each sync, under each operation: before anything of it was written or after
//! half of it, with an error of the disk or for want of room.

use arca::storage::fault::FileFault;

use super::credentials::each;
use super::interrupted::{Figures, interrupted};
use super::medium::Files;
use super::opening::initialise;
use super::operations::{OPERATIONS, Operation};
use super::rounds;
use super::shares::{OtherShares, rekey};
use crate::api::database::users;
use crate::support::postgres::Postgres;

/// The ways in which a write fails, which the writes of an operation take in turn.
const WRITES: [FileFault; 4] = [FileFault::Half, FileFault::NoRoom, FileFault::Error, FileFault::HalfNoRoom];

/// Of how many writes one fails in the quick run, and of how many syncs.
const QUICK: (usize, usize) = (11, 4);

#[test]
fn a_file_that_fails_leaves_nothing_half_done() {
    let mut figures = Figures::default();
    for (turn, operation) in OPERATIONS.iter().enumerate() {
        fail_files(operation, turn, &OtherShares::default(), &mut figures);
    }
    assert!(figures.refused > 0, "no operation was refused for want of room, so nothing could be there of one");
    figures.end(&format!("files operations={}", OPERATIONS.len()));
}

#[test]
fn new_shares_survive_a_file_that_fails() {
    let (others, mut figures) = (OtherShares::default(), Figures::default());
    rekey(&others, &mut |operation| fail_files(operation, 0, &others, &mut figures));
    figures.end("files-rekey");
}

#[test]
fn no_user_of_a_database_is_left_by_a_file_that_fails() {
    let (server, mut figures, mut turn) = (Postgres::start(), Figures::default(), 0);
    each(&server, &mut |operation| {
        turn += 1;
        fail_files(operation, turn, &OtherShares::default(), &mut figures);
    });
    figures.end(&format!("files-database users_left={}", users(&server)));
}

#[test]
fn an_initialisation_is_whole_though_a_file_fails() {
    let mut figures = Figures::default();
    let faults = fail_each(0, &mut |fault, number| initialise(&mut Files::new(fault, number), &mut figures).was_hit);
    figures.faults = faults;
    figures.end("files-init");
}

/// Does an operation with a write of it failing, or a sync.
fn fail_files(operation: &Operation<'_>, turn: usize, others: &OtherShares, figures: &mut Figures) {
    let faults = fail_each(turn, &mut |fault, number| {
        *others.borrow_mut() = None;
        interrupted(operation, &mut Files::new(fault, number), others, figures)
    });
    assert!(faults > 0, "{} writes nothing", operation.name);
}

/// Lets the writes fail one after the other, and then the syncs, until there are no more of them; the quick run takes a part
/// of them, by its turn. How many there were.
fn fail_each(turn: usize, fail: &mut dyn FnMut(FileFault, u64) -> bool) -> u64 {
    let (of_writes, of_syncs) = if rounds().is_some() { (1, 1) } else { QUICK };
    let count = |every: usize, fail: &mut dyn FnMut(u64) -> bool| {
        let numbers = (1 + turn % every.min(5)..1000).step_by(every);
        numbers.map(|number| number as u64).take_while(|number| fail(*number)).count() as u64
    };
    let writes = count(of_writes, &mut |number| {
        let fault = WRITES[(turn + usize::try_from(number).unwrap_or_default()) % WRITES.len()];
        fail(fault, number)
    });
    writes + count(of_syncs, &mut |number| fail(FileFault::Sync, number))
}
