//! What went wrong, and what to do about it.

use std::fmt::Display;
use std::io;
use std::path::Path;

/// A step that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What went wrong.
    pub(crate) what: String,
    /// What to do next.
    pub(crate) advice: String,
}

impl Failure {
    /// A failure without a cause of its own.
    pub(crate) fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), advice: advice.into() }
    }

    /// A file or folder that could not be used.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::new(
            format!("{} cannot be used: {error}", path.display()),
            "Check that it is there, who may use it, and that the disk is not full.",
        )
    }

    /// An answer of a program that is not what it should be.
    pub(crate) fn answer(what: impl Display) -> Self {
        Self::new(
            format!("An answer was not what it should be: {what}"),
            "This is a defect: report it together with all that was printed above.",
        )
    }
}
