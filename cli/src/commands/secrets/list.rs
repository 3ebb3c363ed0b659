//! `arca secrets list [-detailed]`

use crate::client::Client;
use crate::commands::mount::{self, Kind};
use crate::error::Result;
use crate::output::Output;

/// Lists the secrets engines.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Show all that is known of each
    #[arg(long)]
    detailed: bool,
}

impl Args {
    /// Lists.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        mount::list(client, output, Kind::Secrets, self.detailed)
    }
}
