//! What is counted of the store.

use std::time::Instant;

use super::counter::Counter;
use super::histogram::Histogram;
use super::interval::Epoch;
use super::page::{Labels, Page};
use super::summary::Summary;

/// What is counted of the store.
#[derive(Debug)]
pub struct StorageMeters {
    /// Reading a record.
    pub gets: Summary,
    /// Listing a folder.
    pub lists: Summary,
    puts: Summary,
    deletes: Summary,
    /// One durable transaction.
    transactions: Histogram,
    /// How many requests one of them was for.
    groups: Histogram,
    /// Changes that were refused because the record had been changed by another request.
    pub conflicts: Counter,
    /// Transactions that failed.
    pub failures: Counter,
}

impl StorageMeters {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self {
            gets: Summary::new(epoch),
            lists: Summary::new(epoch),
            puts: Summary::new(epoch),
            deletes: Summary::new(epoch),
            transactions: Histogram::of_durations(),
            groups: Histogram::of_sizes(),
            conflicts: Counter::new(epoch),
            failures: Counter::new(epoch),
        }
    }

    /// Counts the records that one request wrote and removed: each took as long as it took until all were durable.
    pub fn committed(&self, start: Instant, end: Instant, puts: u32, deletes: u32) {
        self.puts.record(start, end, puts);
        self.deletes.record(start, end, deletes);
    }

    /// Counts a durable transaction that was for so many requests.
    pub fn transacted(&self, start: Instant, end: Instant, requests: u64) {
        self.transactions.record(start, end);
        self.groups.count(requests);
    }

    pub(super) fn show(&self, page: &mut Page) {
        let Self { gets, lists, puts, deletes, transactions, groups, conflicts, failures } = self;
        page.summary("vault.barrier.get", "Time to read a record, in ms", gets);
        page.summary("vault.barrier.list", "Time to list a folder, in ms", lists);
        page.summary("vault.barrier.put", "Time until a written record is durable, in ms", puts);
        page.summary("vault.barrier.delete", "Time until the removal of a record is durable, in ms", deletes);
        let help = "Time of one durable transaction of the store, in seconds";
        page.histogram("arca.storage_transaction_seconds", help, Labels::new(), transactions);
        let help = "Commits that share one durable transaction of the store";
        page.histogram("arca.storage_group_commits", help, Labels::new(), groups);
        let help = "Commits that were tried again because another request had changed a record";
        page.counter("arca.storage_conflicts_total", help, Labels::new(), conflicts);
        let help = "Transactions of the store that failed";
        page.counter("arca.storage_failures_total", help, Labels::new(), failures);
    }
}
