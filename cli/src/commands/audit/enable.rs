//! `arca audit enable [-path=PATH] TYPE K=V…`

use crate::args::Data;
use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::Result;
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// Adds an audit device. From then on a request is answered only when it is logged.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The device: file, …
    #[arg(value_name = "TYPE")]
    kind: String,
    #[command(flatten)]
    data: Data,
    /// What to call it, if not by its type
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// On this cluster only
    #[arg(long)]
    local: bool,
}

impl Args {
    /// Adds it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let kind = self.kind.trim();
        let name = self.path.as_deref().map_or(kind, tidy);
        let mut body = Json::map([("type", Json::text(kind)), ("options", input::data(&self.data.data)?)]);
        if let Some(text) = &self.description {
            body.set("description", Json::text(text.as_str()));
        }
        if self.local {
            body.set("local", Json::Bool(true));
        }
        let path = format!("sys/audit/{name}");
        let call = Call::put(&path).body(body).unwrapped();
        client.send(call).map_err(|error| error.context("Error enabling audit device"))?;
        output.success(&format!("Success! Enabled the {kind} audit device at: {name}/"))
    }
}
