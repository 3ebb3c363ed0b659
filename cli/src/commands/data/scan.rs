//! `arca scan PATH`

use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::Result;
use crate::output::Output;

/// Lists what is in a folder and in all folders below it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The path, without /v1/
    path: String,
}

impl Args {
    /// Lists.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let path = tidy(&self.path);
        super::list::show(client, output, Call::get(path).query("scan", "true"), path, false)
    }
}
