//! `arca delete PATH [K=V…]`

use crate::args::{Data, Field};
use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::Result;
use crate::input;
use crate::output::Output;

/// Deletes the data at a path.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The path, without /v1/
    path: String,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Deletes.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let path = tidy(&self.path);
        let call = Call::delete(path).queries(&input::data(&self.data.data)?);
        let answer = client.call(call).map_err(|error| error.context(format!("Error deleting {path}")))?;
        match answer {
            Some(secret) if !secret.is_empty() => output.show(secret, self.field.field.as_deref()),
            Some(_) | None => output.success(&format!("Success! Data deleted (if it existed) at: {path}")),
        }
    }
}
