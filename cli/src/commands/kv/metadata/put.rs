//! `arca kv metadata put [-mount=PATH] [settings] PATH`

use super::super::Mount;
use super::{Settings, VERSION_1};
use crate::client::{Call, Client};
use crate::error::{Exit, Result};
use crate::output::Output;

/// Sets what is kept about a secret, in place of all that was there.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    mount: Mount,
    #[command(flatten)]
    settings: Settings,
}

impl Args {
    /// Writes.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let place = self.mount.place(client)?;
        place.must_keep_versions(VERSION_1, Exit::Local)?;
        let path = place.of_kind("metadata");
        let call = Call::put(&path).body(self.settings.body()?);
        let answer = client.call(call).map_err(|error| error.context(format!("Error writing data to {path}")))?;
        crate::commands::data::written(output, answer, None, &path)
    }
}
