//! `Txn`: all that one request changes, written at once or not at all.

use std::fmt;

use crate::storage::{Batch, Expected, Key};

/// The changes of one request, already encrypted, and what is to happen once they are durable.
#[derive(Default)]
pub struct Txn {
    batch: Batch,
    on_commit: Vec<Action>,
}

/// What is to happen once the changes of a [`Txn`] are durable.
pub(super) type Action = Box<dyn FnOnce() + Send>;

impl Txn {
    /// A transaction without changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing would be written.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Runs `action` after the changes are durable, and not at all if they are not written.
    pub fn on_commit(&mut self, action: impl FnOnce() + Send + 'static) {
        self.on_commit.push(Box::new(action));
    }

    /// Runs `action` once the changes are durable, and also when the commit fails, or nobody waits for it any more: the
    /// storage may then have them all the same. For forgetting what is cached of them.
    pub fn on_settled(&mut self, action: impl FnOnce() + Send + 'static) {
        self.batch.when_settled(action);
    }

    /// Writes `bytes` without encryption, for what must be read while the vault is sealed: how it is sealed.
    pub fn put_in_clear(&mut self, key: Key, bytes: Vec<u8>) {
        self.batch.put(key, bytes);
    }

    pub(super) fn put(&mut self, key: Key, ciphertext: Vec<u8>) {
        self.batch.put(key, ciphertext);
    }

    pub(super) fn delete(&mut self, key: Key) {
        self.batch.delete(key);
    }

    pub(super) fn expect(&mut self, key: Key, expected: Expected) {
        self.batch.expect(key, expected);
    }

    pub(super) fn into_parts(self) -> (Batch, Vec<Action>) {
        (self.batch, self.on_commit)
    }
}

impl fmt::Debug for Txn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Txn").field("batch", &self.batch).finish_non_exhaustive()
    }
}
