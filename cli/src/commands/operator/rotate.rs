//! `arca operator rotate`

use super::key_status;
use crate::client::{Call, Client};
use crate::error::Result;
use crate::output::Output;

/// Begins a new term of the key that encrypts the data. What older terms encrypted stays readable.
#[derive(clap::Args)]
pub(crate) struct Args;

impl Args {
    /// Rotates, and shows the new term.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let call = Call::post("sys/rotate/keyring").unwrapped();
        client.send(call).map_err(|error| error.context("Error rotating key"))?;
        let sheet = key_status::sheet(client)?;
        output.success("Success! Rotated key\n")?;
        output.show(sheet, None)
    }
}
