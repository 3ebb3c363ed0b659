//! `arca kv metadata delete [-mount=PATH] PATH`

use super::super::Mount;
use super::VERSION_1;
use crate::client::{Call, Client};
use crate::error::{Exit, Result};
use crate::output::Output;

/// Deletes a secret with all its versions. Nothing brings it back.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    mount: Mount,
}

impl Args {
    /// Deletes.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let place = self.mount.place(client)?;
        place.must_keep_versions(VERSION_1, Exit::Local)?;
        let path = place.of_kind("metadata");
        client.call(Call::delete(&path)).map_err(|error| error.context(format!("Error deleting {path}")))?;
        output.success(&format!("Success! Data deleted (if it existed) at: {path}"))
    }
}
