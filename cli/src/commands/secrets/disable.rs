//! `arca secrets disable PATH`

use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::Result;
use crate::output::Output;

/// Takes a secrets engine away, with all that it keeps. Its leases are revoked first.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where it is mounted
    path: String,
}

impl Args {
    /// Unmounts it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let mount = tidy(&self.path);
        let path = format!("sys/mounts/{mount}");
        client
            .send(Call::delete(&path).unwrapped())
            .map_err(|error| error.context(format!("Error disabling secrets engine at {mount}/")))?;
        output.success(&format!("Success! Disabled the secrets engine (if it existed) at: {mount}/"))
    }
}
