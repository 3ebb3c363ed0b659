//! Policies, the compiled access-control list, and the permit that it makes.

mod permit;

pub use permit::{Access, GrantingPolicy, Permit, WrapBounds};
