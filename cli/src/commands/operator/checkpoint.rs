//! `arca operator checkpoint [FILE]`

use std::path::PathBuf;

use crate::client::{Call, Client};
use crate::error::{Error, Result, os_message};
use crate::files;
use crate::json::Json;
use crate::output::Output;

/// Makes a checkpoint: a signed note of how far the store has come. Keep it where those cannot write who can write to the
/// store; `arca operator check -checkpoint=FILE` and the server's checkpoint_file tell by it whether the store was put back.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The file to replace; printed if left out, or if it is -
    file: Option<PathBuf>,
}

impl Args {
    /// Makes the checkpoint.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let call = Call::post("sys/storage/checkpoint").body(Json::map([])).unwrapped();
        let checkpoint = client.call_json(call).map_err(|error| error.context("Error making a checkpoint"))?;
        let text = checkpoint.pretty();
        let Some(file) = self.file.filter(|file| file.as_os_str() != "-") else { return output.line(&text) };
        files::replace(&file, format!("{}\n", text.as_str()).as_bytes(), 0o644).map_err(|error| {
            Error::local(format!("Error writing {}: {}", file.display(), os_message(&error)))
                .advise("Check the path and who may write there.")
        })?;
        output.success(&format!("The checkpoint is in {}", file.display()))
    }
}
