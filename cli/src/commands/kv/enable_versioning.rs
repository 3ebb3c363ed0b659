//! `arca kv enable-versioning MOUNT`

use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::Result;
use crate::json::Json;
use crate::output::Output;

/// Turns a mount of version 1 into version 2. There is no way back.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The mount
    mount: String,
}

impl Args {
    /// Tunes the mount.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let mount = tidy(&self.mount);
        let path = format!("sys/mounts/{mount}/tune");
        let options = Json::map([("version", Json::text("2"))]);
        let call = Call::post(&path).body(Json::map([("options", options)]));
        client.call(call).map_err(|error| error.context(format!("Error tuning secrets engine {mount}/")))?;
        output.success(&format!("Success! Tuned the secrets engine at: {mount}/"))
    }
}
