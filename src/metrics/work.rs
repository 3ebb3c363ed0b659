//! What is counted of tokens, policies and leases.

use super::counter::Counter;
use super::interval::Epoch;
use super::page::{Labels, Page};
use super::summary::Summary;

/// What is counted of tokens, policies and leases.
#[derive(Debug)]
pub struct WorkMeters {
    /// Making a token, until it is durable.
    pub token_creations: Summary,
    /// Finding the record of a token that a request came with.
    pub token_lookups: Summary,
    /// Getting a policy, most often one that was read before.
    pub policy_reads: Summary,
    /// Undoing what a lease stands for.
    pub revocations: Summary,
    /// Revocations that failed, and are tried again.
    pub failed_revocations: Counter,
}

impl WorkMeters {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self {
            token_creations: Summary::new(epoch),
            token_lookups: Summary::new(epoch),
            policy_reads: Summary::new(epoch),
            revocations: Summary::new(epoch),
            failed_revocations: Counter::new(epoch),
        }
    }

    pub(super) fn show(&self, page: &mut Page) {
        let Self { token_creations, token_lookups, policy_reads, revocations, failed_revocations } = self;
        page.summary("vault.token.create", "Time to make a token, until it is durable, in ms", token_creations);
        page.summary("vault.token.lookup", "Time to find the record of a caller's token, in ms", token_lookups);
        page.summary("vault.policy.get_policy", "Time to get a policy, in ms", policy_reads);
        page.summary("vault.expire.revoke", "Time to undo what a lease stands for, in ms", revocations);
        let help = "Revocations of leases that failed; they are tried again";
        page.counter("arca.failed_revocations_total", help, Labels::new(), failed_revocations);
    }
}
