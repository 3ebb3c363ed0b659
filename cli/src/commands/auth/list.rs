//! `arca auth list [-detailed]`

use crate::client::Client;
use crate::commands::mount::{self, Kind};
use crate::error::Result;
use crate::output::Output;

/// Lists the auth methods.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Show all that is known of each
    #[arg(long)]
    detailed: bool,
}

impl Args {
    /// Lists.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        mount::list(client, output, Kind::Auth, self.detailed)
    }
}
