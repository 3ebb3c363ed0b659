//! `arca auth disable PATH`

use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::Result;
use crate::output::Output;

/// Takes an auth method away. The tokens that it gave are revoked.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where it is mounted, without auth/
    path: String,
}

impl Args {
    /// Unmounts it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let mount = tidy(&self.path);
        let path = format!("sys/auth/{mount}");
        client
            .send(Call::delete(&path).unwrapped())
            .map_err(|error| error.context(format!("Error disabling auth method at {mount}/")))?;
        output.success(&format!("Success! Disabled the auth method (if it existed) at: {mount}/"))
    }
}
