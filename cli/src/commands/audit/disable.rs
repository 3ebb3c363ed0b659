//! `arca audit disable PATH`

use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::Result;
use crate::output::Output;

/// Takes an audit device away. Its log stays where it is.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The device's path
    path: String,
}

impl Args {
    /// Takes it away.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let name = tidy(&self.path);
        let path = format!("sys/audit/{name}");
        let sent = client.send(Call::delete(&path).unwrapped());
        sent.map_err(|error| error.context("Error disabling audit device"))?;
        output.success(&format!("Success! Disabled audit device (if it was enabled) at: {name}/"))
    }
}
