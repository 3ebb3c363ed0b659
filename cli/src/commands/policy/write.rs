//! `arca policy write NAME FILE`

use std::path::Path;

use crate::client::{Call, Client};
use crate::error::{Exit, Result};
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// Writes a policy, in place of one of the same name.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The policy's name
    name: String,
    /// The file with the policy, or - for standard input
    file: String,
}

impl Args {
    /// Writes.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let name = self.name.trim().to_lowercase();
        let policy = if self.file == "-" {
            input::piped()?
        } else {
            let read = input::file(Path::new(self.file.trim()));
            read.map_err(|error| error.context("Error opening policy file").exiting(Exit::Remote))?
        };
        let path = format!("sys/policies/acl/{name}");
        let call = Call::put(&path).body(Json::map([("policy", Json::Text(policy))])).unwrapped();
        client.send(call).map_err(|error| error.context("Error uploading policy"))?;
        if name != self.name {
            output.note(&format!("The policy's name was changed from \"{}\" to \"{name}\"", self.name))?;
        }
        output.success(&format!("Success! Uploaded policy: {name}"))
    }
}
