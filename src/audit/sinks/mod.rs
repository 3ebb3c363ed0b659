//! The kinds of devices.

#[cfg(test)]
pub(super) mod failing;
mod file;
mod options;

pub use file::FileSink;
pub use options::{FileOptions, OptionsError, Sync, Target};
