//! `Ledger`: what somebody wants to be written along with each transaction, in the same one. Storage has no keys, and does not
//! know what that is; the barrier keeps account of its records so.

use std::fmt;
use std::sync::Arc;

use super::writer::{Changes, Request};
use super::{Key, StorageError, Write};

/// Gives what is at a key before a transaction.
pub type Committed<'a> = dyn FnMut(&Key) -> Result<Option<Vec<u8>>, StorageError> + 'a;

/// What is to be written along with each transaction. See [`super::Batch::enter_in`].
pub trait Ledger: Send + Sync + fmt::Debug {
    /// What is to be written besides `changes`, once for the whole transaction; nothing to leave it at them. `committed`
    /// gives what is at a key before them. An error is the answer to the whole transaction, of which nothing is written.
    fn entry(&self, changes: &Changes, committed: &mut Committed<'_>) -> Result<Option<Write>, StorageError>;
}

/// Adds to `changes` what `ledger` wants to be written along.
pub(super) fn enter(
    ledger: Option<&dyn Ledger>,
    changes: &mut Changes,
    committed: &mut Committed<'_>,
) -> Result<(), StorageError> {
    let Some(ledger) = ledger.filter(|_| !changes.is_empty()) else { return Ok(()) };
    if let Some((key, value)) = ledger.entry(changes, committed)? {
        changes.insert(key, value);
    }
    Ok(())
}

/// A group in the order of its queue, cut where the ledger changes: an entry is about the batches that are entered in it, and
/// about no others. Nearly always that is the whole group.
pub(super) fn by_ledger(group: Vec<Request>) -> Vec<Vec<Request>> {
    let mut parts: Vec<Vec<Request>> = Vec::new();
    for request in group {
        let last = parts.last_mut().filter(|part| part.first().is_some_and(|first| first.shares_ledger(&request)));
        match last {
            Some(part) => part.push(request),
            None => parts.push(vec![request]),
        }
    }
    parts
}

/// Whether it is the same ledger.
pub(super) fn is_same(a: Option<&Arc<dyn Ledger>>, b: Option<&Arc<dyn Ledger>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, Some(_)) | (Some(_), None) => false,
    }
}
