//! `arca kv rollback [-mount=PATH] -version=N PATH`

use super::put::versioned;
use super::{Mount, versions_text};
use crate::client::{Call, Client, Secret};
use crate::error::{Error, Exit, Result};
use crate::json::Json;
use crate::output::{Output, Sheet};

/// Writes the data of an older version as the newest. Version 2 only.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    mount: Mount,
    /// The version to take the data from
    #[arg(long, value_name = "NUMBER")]
    version: Option<u64>,
}

impl Args {
    /// Reads the newest version's number and the older version's data, and writes that on condition.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let Some(version) = self.version.filter(|version| *version > 0) else {
            return Err(Error::local("Version flag must be specified").advise("Give -version=NUMBER, from 1 on."));
        };
        let place = self.mount.place(client)?;
        place.must_keep_versions("K/V engine mount must be version 2 for rollback support", Exit::Remote)?;
        let path = place.data();
        let newest = read(client, &path, None)?;
        let cas = newest.data.at("metadata").map_or(0, |metadata| metadata.integer_at("version"));
        let mut older = read(client, &path, Some(version))?;
        if older.data.at("metadata").is_some_and(|metadata| metadata.is_true_at("destroyed")) {
            return Err(Error::remote("Cannot roll back to a version that has been destroyed")
                .advise("Choose another version; `arca kv metadata get` shows them."));
        }
        let data = older.data.take("data");
        if data == Json::Null {
            return Err(Error::remote("Cannot roll back to a version that has been deleted")
                .advise("Bring it back first with `arca kv undelete`."));
        }
        let call = Call::put(&path).body(versioned(data, cas));
        let answer = client.call(call).map_err(|error| error.context(format!("Error writing data to {path}")))?;
        match answer {
            Some(secret) if output.format().is_for_people() && secret.wrap_info == Json::Null => {
                let text = versions_text(&secret.data);
                output.show(Sheet { value: secret.data, text }, None)
            }
            other => crate::commands::data::written(output, other, None, &path),
        }
    }
}

fn read(client: &Client, path: &str, version: Option<u64>) -> Result<Secret> {
    let mut call = Call::get(path).preliminary();
    if let Some(version) = version {
        call = call.query("version", version.to_string());
    }
    let answer = client.fetch(call).map_err(|error| error.context(format!("Error doing pre-read at {path}")))?;
    answer.ok_or_else(|| Error::absent(path))
}
