//! `arca kv put [-mount=PATH] [-cas=N] PATH K=V…`

use super::Mount;
use crate::args::{Data, Field};
use crate::client::{Call, Client};
use crate::error::Result;
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// Writes a secret, in place of all that was there.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    mount: Mount,
    /// Write only if this is the newest version; 0 is no version yet. Version 2 only
    #[arg(long, value_name = "NUMBER", default_value_t = -1, hide_default_value = true, allow_negative_numbers = true)]
    cas: i64,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Writes, and prints the new version's metadata.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let data = input::required_data(&self.data.data)?;
        let place = self.mount.place(client)?;
        let path = place.data();
        let body = if place.versioned { versioned(data, self.cas) } else { data };
        let call = Call::put(&path).body(body);
        let answer = client.call(call).map_err(|error| error.context(format!("Error writing data to {path}")))?;
        super::show_written(output, answer, self.field.field.as_deref(), &path)
    }
}

/// The body of a write of version 2; a negative `cas` is none.
pub(super) fn versioned(data: Json, cas: i64) -> Json {
    let mut options = Json::Map(Vec::new());
    if cas >= 0 {
        options.set("cas", Json::number(cas));
    }
    Json::map([("data", data), ("options", options)])
}
