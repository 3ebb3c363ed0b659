//! `arca kv list [-mount=PATH] PATH`

use super::Mount;
use crate::client::{Call, Client};
use crate::commands::data;
use crate::error::Result;
use crate::output::Output;

/// Lists the secrets in a folder.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    mount: Mount,
}

impl Args {
    /// Lists.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let place = self.mount.place(client)?;
        let path = if place.versioned { place.of_kind("metadata") } else { place.data() };
        data::list::show(client, output, Call::list(&path), &path, false)
    }
}
