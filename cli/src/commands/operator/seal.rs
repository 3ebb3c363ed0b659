//! `arca operator seal`

use crate::client::{Call, Client};
use crate::error::Result;
use crate::output::Output;

/// Seals the vault: it forgets its keys and answers nothing until it is unsealed.
#[derive(clap::Args)]
pub(crate) struct Args;

impl Args {
    /// Seals.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        client.send(Call::put("sys/seal").unwrapped()).map_err(|error| error.context("Error sealing"))?;
        output.success("Success! Vault is sealed.")
    }
}
