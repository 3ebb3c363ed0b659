//! The kinds of devices.

mod archive;
#[cfg(test)]
pub(super) mod failing;
mod file;
mod line;
mod options;
mod rotation;
mod stamp;

pub use file::FileSink;
pub use line::LineOptions;
pub use options::{FileOptions, OptionsError, Sync, Target};
pub use rotation::Rotation;
