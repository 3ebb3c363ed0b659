//! `arca kv delete [-mount=PATH] [-versions=N,…] PATH`

use super::Mount;
use crate::args::Field;
use crate::client::{Call, Client};
use crate::error::{Exit, Result};
use crate::json::Json;
use crate::output::Output;

/// Deletes a secret. Version 2 deletes the newest version, or those given, and can bring them back.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    mount: Mount,
    /// These versions
    #[arg(long, value_name = "NUMBERS")]
    versions: Vec<String>,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Deletes.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let place = self.mount.place(client)?;
        let (data, versions) = (place.data(), place.of_kind("delete"));
        let call = if self.versions.is_empty() {
            Call::delete(&data)
        } else {
            place.must_keep_versions("Versions are not supported on KV Version 1", Exit::Local)?;
            Call::put(&versions).body(Json::map([("versions", super::version_list(&self.versions))]))
        };
        let answer = client.call(call).map_err(|error| error.context(format!("Error deleting {data}")))?;
        match answer {
            Some(secret) if !secret.is_empty() => output.show(secret, self.field.field.as_deref()),
            Some(_) | None => output.success(&format!("Success! Data deleted (if it existed) at: {data}")),
        }
    }
}
