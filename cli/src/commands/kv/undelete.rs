//! `arca kv undelete [-mount=PATH] -versions=N,… PATH`

use super::Mount;
use crate::client::{Call, Client};
use crate::error::{Error, Exit, Result};
use crate::json::Json;
use crate::output::Output;

/// Brings deleted versions back. Version 2 only.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    mount: Mount,
    /// These versions
    #[arg(long, value_name = "NUMBERS")]
    versions: Vec<String>,
}

impl Args {
    /// Does it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let versions = super::version_list(&self.versions);
        if versions.items().is_empty() {
            return Err(Error::local(
                "No versions provided, use the \"-versions\" flag to specify the version to undelete.",
            )
            .advise("`arca kv metadata get` shows which versions there are."));
        }
        let place = self.mount.place(client)?;
        place.must_keep_versions("Undelete not supported on KV Version 1", Exit::Local)?;
        let path = place.of_kind("undelete");
        let call = Call::put(&path).body(Json::map([("versions", versions)]));
        let answer = client.call(call).map_err(|error| error.context(format!("Error writing data to {path}")))?;
        crate::commands::data::written(output, answer, None, &path)
    }
}
