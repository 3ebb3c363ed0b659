//! `arca policy delete NAME`

use crate::client::{Call, Client};
use crate::error::Result;
use crate::output::Output;

/// Deletes a policy. Tokens that have it lose what it allowed at once.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The policy's name
    name: String,
}

impl Args {
    /// Deletes.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let name = self.name.trim().to_lowercase();
        let path = format!("sys/policies/acl/{name}");
        client
            .send(Call::delete(&path).unwrapped())
            .map_err(|error| error.context(format!("Error deleting {name}")))?;
        output.success(&format!("Success! Deleted policy: {name}"))
    }
}
