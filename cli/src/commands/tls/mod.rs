//! `arca tls …`

mod bootstrap;

use clap::Subcommand;

use crate::error::Result;
use crate::output::Output;

/// Certificates of a first set-up.
#[derive(Subcommand)]
pub(crate) enum Tls {
    /// Make a CA, a server certificate and client certificates
    Bootstrap(bootstrap::Args),
}

impl Tls {
    /// Does it.
    pub(crate) fn run(self, output: &mut Output) -> Result<()> {
        match self {
            Self::Bootstrap(args) => args.run(output),
        }
    }
}
