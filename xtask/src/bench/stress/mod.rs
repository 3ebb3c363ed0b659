//! What is asked of a server at once: the end of many leases, and more requests than fit.

mod overload;
mod revocation;

pub(super) use overload::{Overloaded, run as overload};
pub(super) use revocation::{Revoked, run as revocation};
