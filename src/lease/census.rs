//! `Census`: who is told of every lease that begins or ends, and may refuse one.

use crate::error::Result;

/// Is told of the leases of one namespace. The manager does not know what they are counted for.
pub trait Census: Send + Sync + 'static {
    /// The lease `id` is about to begin; `role` is what its maker logged in with. Refused if it is one too many, unless it
    /// is `forced`, since what it stands for is there already.
    fn begin(&self, id: &str, role: &str, forced: bool) -> Result<Counted>;

    /// The lease `id` is about to end.
    fn end(&self, id: &str, role: &str) -> Counted;
}

/// Called once the lease has begun, or ended, durably. If it is dropped instead, nothing has happened.
pub type Counted = Box<dyn FnOnce() + Send>;
