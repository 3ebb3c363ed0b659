//! `arca kv metadata patch [-mount=PATH] [settings] [-remove-custom-metadata=KEY] PATH`

use super::super::Mount;
use super::{Settings, VERSION_1};
use crate::client::{Call, Client};
use crate::error::{Exit, Result};
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// Changes parts of what is kept about a secret.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    mount: Mount,
    #[command(flatten)]
    settings: Settings,
    /// Remove this key from the custom metadata; may be repeated
    #[arg(long, value_name = "KEY")]
    remove_custom_metadata: Vec<String>,
}

impl Args {
    /// Patches.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let mut body = self.settings.body()?;
        if !self.remove_custom_metadata.is_empty() {
            let mut custom = input::pairs(&[])?;
            if body.some("custom_metadata").is_some() {
                custom = body.take("custom_metadata");
            }
            for key in &self.remove_custom_metadata {
                custom.set(key, Json::Null);
            }
            body.set("custom_metadata", custom);
        }
        let place = self.mount.place(client)?;
        place.must_keep_versions(VERSION_1, Exit::Local)?;
        let path = place.of_kind("metadata");
        let call = Call::patch(&path).body(body);
        let answer = client.call(call).map_err(|error| error.context(format!("Error writing data to {path}")))?;
        crate::commands::data::written(output, answer, None, &path)
    }
}
