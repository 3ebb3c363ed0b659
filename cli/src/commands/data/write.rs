//! `arca write [-f] PATH [K=V…]`

use crate::args::{Data, Field};
use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::{Error, Result};
use crate::input;
use crate::output::Output;

/// Writes data to a path: secrets, configuration, a request for credentials.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The path, without /v1/
    path: String,
    #[command(flatten)]
    data: Data,
    /// Write without data, to paths that need none
    #[arg(long, alias = "f")]
    force: bool,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Writes, and prints what comes back.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let path = tidy(&self.path);
        if self.data.data.is_empty() && !self.force {
            return Err(Error::local("Must supply data or use -force")
                .advise("Give data as key=value, key=@file, @file.json or -; or -force to send none."));
        }
        let call = Call::put(path);
        let call = if self.data.data.is_empty() { call } else { call.body(input::data(&self.data.data)?) };
        let answer = client.call(call).map_err(|error| error.context(format!("Error writing data to {path}")))?;
        super::written(output, answer, self.field.field.as_deref(), path)
    }
}
