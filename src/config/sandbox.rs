//! `sandbox`: what the kernel lets the process do.

use std::path::PathBuf;

use super::error::{ConfigError, Warning};
use super::section::Initial::Default;
use super::section::section;
use super::source::Stanza;
use super::value::Switch;

/// What the kernel lets the process do, beyond what the rest of the configuration shows that it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// Whether the process reaches all files that its user does.
    pub disable_landlock: bool,
    /// Whether the process may make every system call.
    pub disable_seccomp: bool,
    /// Folders and files that it may read besides.
    pub readable_paths: Vec<PathBuf>,
    /// Folders that it may write to besides.
    pub writable_paths: Vec<PathBuf>,
}

section! {
    /// The `sandbox` block as the file has it.
    RawSandbox {
        /// Let the server reach all files that its user does, and not only those that this configuration names (Landlock).
        disable_landlock: Switch = Default("false"),
        /// Let the server make every system call, and not only those that it needs (seccomp).
        disable_seccomp: Switch = Default("false"),
        /// Files and folders that the server reads besides: authorities and keys of audit devices made through the API.
        readable_paths: Vec<PathBuf> = Default("[]"),
        /// Folders that the server writes to besides: those of audit devices that are made through the API.
        writable_paths: Vec<PathBuf> = Default("[]"),
    }
    blocks &[];
    ignored &[];
}

impl Sandbox {
    pub(super) fn read(stanza: &Stanza<'_>, warnings: &mut Vec<Warning>) -> Result<Self, ConfigError> {
        let RawSandbox { disable_landlock, disable_seccomp, readable_paths, writable_paths } =
            RawSandbox::read(&stanza.entries(), warnings)?;
        if readable_paths.iter().chain(&writable_paths).any(|path| path.is_relative()) {
            return Err(stanza.error("readable_paths and writable_paths begin with a slash"));
        }
        let (disable_landlock, disable_seccomp) = (disable_landlock.0, disable_seccomp.0);
        Ok(Self { disable_landlock, disable_seccomp, readable_paths, writable_paths })
    }
}
