//! The audit broker (stand-in).

use crate::error::Result;
use crate::policy::Permit;

mod facts;
pub use facts::*;

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

/// An entry.
#[derive(Debug)]
pub struct Entry;

impl Entry {
    /// Admits.
    pub async fn admit(&mut self, permit: Permit) -> Result<Admitted> {
        Ok(Admitted { permit })
    }

    /// Closes.
    pub async fn close(self) -> Result<()> {
        Ok(())
    }
}
