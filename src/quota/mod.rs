//! Quotas: how many requests an address may make, and how many leases there may be. Pure: who stores the rules, and who
//! knows the leases, tells this module of them.

mod bucket;
mod leases;
mod limits;
mod rule;
mod scope;

pub use leases::{LeaseCensus, LeaseChange, LeaseLimits};
pub use limits::{Allowance, RateLimits, RetryAfter};
pub use rule::{LeaseLimit, QuotaConfig, RateLimit};
pub use scope::{Asked, Scope};
