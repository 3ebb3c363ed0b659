//! `arca auth enable [-path=PATH] TYPE`

use crate::client::{Call, Client};
use crate::commands::mount::Config;
use crate::commands::tidy;
use crate::error::Result;
use crate::json::Json;
use crate::output::Output;

/// Mounts an auth method.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The method: cert, userpass, …
    #[arg(value_name = "TYPE")]
    kind: String,
    /// Where, if not at the method's name
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    #[command(flatten)]
    config: Config,
    /// The type of its tokens: default-service, default-batch, service or batch
    #[arg(long, value_name = "TYPE")]
    token_type: Option<String>,
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
        if let Some(token_type) = &self.token_type {
            settings.set("token_type", Json::text(token_type.as_str()));
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
        let path = format!("sys/auth/{mount}");
        client
            .send(Call::post(&path).body(body).unwrapped())
            .map_err(|error| error.context(format!("Error enabling {kind} auth")))?;
        output.success(&format!("Success! Enabled {kind} auth method at: {mount}/"))
    }
}
