//! `arca secrets tune PATH`

use crate::client::{Call, Client};
use crate::commands::mount::Config;
use crate::commands::tidy;
use crate::error::Result;
use crate::json::Json;
use crate::output::Output;

/// Changes how a secrets engine is set up. What is not given stays.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where it is mounted
    path: String,
    #[command(flatten)]
    config: Config,
}

impl Args {
    /// Tunes it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let mount = tidy(&self.path);
        let mut body = self.config.settings();
        if let Some(text) = &self.config.description {
            body.set("description", Json::text(text.as_str()));
        }
        if let Some(options) = self.config.options()? {
            body.set("options", options);
        }
        let path = format!("sys/mounts/{mount}/tune");
        client
            .send(Call::post(&path).body(body).unwrapped())
            .map_err(|error| error.context(format!("Error tuning secrets engine {mount}/")))?;
        output.success(&format!("Success! Tuned the secrets engine at: {mount}/"))
    }
}
