//! Rate limits: how many requests an address may make. Pure: who stores the rules tells this module of them.

mod bucket;
mod limits;
mod rule;

pub use limits::{Allowance, RateLimits, RetryAfter};
pub use rule::{QuotaConfig, RateLimit};
