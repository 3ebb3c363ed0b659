//! `arca secrets move FROM TO`

use crate::client::Client;
use crate::commands::{mount, tidy};
use crate::error::Result;
use crate::output::Output;

/// Moves a secrets engine to another path. Its leases are revoked; policies do not follow.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where it is mounted
    from: String,
    /// Where it is to be
    to: String,
}

impl Args {
    /// Moves it, and waits.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let (from, to) = (format!("{}/", tidy(&self.from)), format!("{}/", tidy(&self.to)));
        mount::relocate(client, output, "secrets engine", &from, &to)
    }
}
