//! `arca version`

use crate::error::Result;
use crate::output::Output;

/// Prints the version.
#[derive(clap::Args)]
pub(crate) struct Args;

impl Args {
    /// Prints it.
    pub(crate) fn run(self, output: &mut Output) -> Result<()> {
        output.line(concat!("Arca v", env!("CARGO_PKG_VERSION")))
    }
}
