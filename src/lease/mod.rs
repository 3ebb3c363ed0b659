//! Leases: register, renew, expire, revoke with retry.
//!
//! All of it is in the store: a record by lease id, an index by the second in which it falls due, an index by the token
//! that owns it. Expiry reads the due index a window at a time, so neither memory nor start-up grows with leases.

mod census;
mod manager;
mod record;
mod renewal;
mod revocation;
mod sweep;
mod tally;

pub use census::{Census, Counted};
pub use manager::{Grant, LeaseManager, LeaseOwner, OwnedLease, TokenLease};
pub use record::{Lease, LeaseState, Target};
pub use sweep::{AT_ONCE, Revoker};
pub use tally::LeaseTally;

#[cfg(test)]
mod tests;
