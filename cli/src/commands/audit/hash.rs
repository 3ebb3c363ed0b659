//! `arca audit hash PATH [TEXT]`

use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::{Error, Result};
use crate::input;
use crate::json::Json;
use crate::output::{Output, Sheet};

/// Hashes a text as an audit device does, so that it can be found in the device's log.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The device's path
    path: String,
    /// The text, or - for standard input; asked for if left out
    text: Option<String>,
}

impl Args {
    /// Asks and prints.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let text = match self.text.as_deref() {
            // What is looked for is taken exactly, spaces and all.
            Some(text) if text != "-" => Json::text(text),
            other => Json::Text(input::secret(other, "Text", client.settings().interactive)?),
        };
        let path = format!("sys/audit-hash/{}", tidy(&self.path));
        let call = Call::post(&path).body(Json::map([("input", text)])).unwrapped();
        let answer = client.call(call).map_err(|error| error.context("Error hashing"))?;
        let hash = answer.map_or(Json::Null, |mut secret| secret.data.take("hash"));
        let Some(shown) = hash.as_text().map(str::to_owned) else {
            return Err(Error::remote("The server answered with no hash.").advise("Look into the server's log."));
        };
        if output.format().is_for_people() {
            output.line(&shown)
        } else {
            output.show(Sheet::of(Json::map([("hash", hash)]), &[]), None)
        }
    }
}
