//! `arca secrets enable [-path=PATH] TYPE`

use crate::client::{Call, Client};
use crate::commands::mount::Config;
use crate::commands::tidy;
use crate::error::Result;
use crate::json::Json;
use crate::output::Output;

/// Mounts a secrets engine.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The engine: kv, database, …
    #[arg(value_name = "TYPE")]
    kind: String,
    /// Where, if not at the engine's name
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    #[command(flatten)]
    config: Config,
    /// Keep nothing of it in memory
    #[arg(long)]
    force_no_cache: bool,
    /// On this cluster only
    #[arg(long)]
    local: bool,
    /// Encrypt its critical values once more, where the seal can
    #[arg(long)]
    seal_wrap: bool,
}

impl Args {
    /// Mounts it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let kind = self.kind.trim();
        let mount = self.path.as_deref().map_or(kind, tidy);
        let mut settings = self.config.settings();
        if self.force_no_cache {
            settings.set("force_no_cache", Json::Bool(true));
        }
        let mut body = Json::map([("type", Json::text(kind)), ("config", settings)]);
        if let Some(text) = &self.config.description {
            body.set("description", Json::text(text.as_str()));
        }
        for (key, value) in [("local", self.local), ("seal_wrap", self.seal_wrap)] {
            if value {
                body.set(key, Json::Bool(true));
            }
        }
        if let Some(options) = self.config.options()? {
            body.set("options", options);
        }
        let path = format!("sys/mounts/{mount}");
        client.send(Call::post(&path).body(body).unwrapped()).map_err(|error| error.context("Error enabling"))?;
        output.success(&format!("Success! Enabled the {kind} secrets engine at: {mount}/"))
    }
}
