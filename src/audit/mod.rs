//! The audit broker.

use crate::policy::Permit;

/// A request that was permitted and whose request line is written.
#[derive(Debug)]
pub struct Admitted {
    permit: Permit,
}

impl Admitted {
    /// The permit.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }
}
