//! `arca path-help PATH`

use crate::client::{Call, Client};
use crate::error::{Error, Result};
use crate::output::Output;

/// Says what a path takes and does.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The path, without /v1/
    path: String,
}

impl Args {
    /// Asks and prints.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        // The slash at the end counts here: it tells the help of a mount from that of a path.
        let path = self.path.trim().trim_start_matches('/');
        let call = Call::get(path).query("help", "1").unwrapped();
        let help = client.call_json(call).map_err(|error| error.context("Error retrieving help"))?;
        if !output.format().is_for_people() {
            return output.show(crate::output::Sheet::of(help, &[]), None);
        }
        let text = help.some("help").and_then(|help| help.as_text());
        match text {
            Some(text) => output.line(text.trim_end()),
            None => Err(Error::absent(path)),
        }
    }
}
