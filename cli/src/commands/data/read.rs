//! `arca read PATH [K=V…]`

use crate::args::{Data, Field};
use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::{Error, Result};
use crate::input;
use crate::output::{Format, Output};

/// Reads data at a path: secrets, configuration, new credentials.
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
    /// Reads and prints.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let path = tidy(&self.path);
        let call = Call::get(path).queries(&input::data(&self.data.data)?);
        let context = |error: Error| error.context(format!("Error reading {path}"));
        if output.format() == Format::Raw && self.field.field.is_none() {
            let body = client.fetch_raw(call).map_err(context)?;
            return output.bytes(&body);
        }
        let secret = client.fetch(call).map_err(context)?.ok_or_else(|| Error::absent(path))?;
        output.show(secret, self.field.field.as_deref())
    }
}
