//! The mount table: path to engine, for secrets engines and auth methods alike.
//!
//! The table is a value that is replaced as a whole, so a request routes without a lock. What decides is in the store:
//! one record a mount, by its id.

mod entry;
mod gate;
mod table;

pub use entry::{MountConfig, MountEntry, MountState, MountTokenType, MountTune, UserLockout, Visibility};
pub use gate::{Gate, Stay};
pub use table::{Backend, MountPoint, MountTable, Registry};
