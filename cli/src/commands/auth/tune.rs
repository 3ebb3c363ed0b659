//! `arca auth tune PATH`

use crate::args::ttl_text;
use crate::client::{Call, Client};
use crate::commands::mount::Config;
use crate::commands::tidy;
use crate::error::Result;
use crate::json::Json;
use crate::output::Output;

/// Changes how an auth method is set up. What is not given stays.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where it is mounted, without auth/
    path: String,
    #[command(flatten)]
    config: Config,
    /// The type of its tokens: default-service, default-batch, service or batch
    #[arg(long, value_name = "TYPE")]
    token_type: Option<String>,
    /// After how many failed logins a user is locked out
    #[arg(long, value_name = "COUNT")]
    user_lockout_threshold: Option<u64>,
    /// For how long
    #[arg(long, value_name = "DURATION", value_parser = ttl_text)]
    user_lockout_duration: Option<String>,
    /// After how long without a failed login the count begins anew
    #[arg(long, value_name = "DURATION", value_parser = ttl_text)]
    user_lockout_counter_reset_duration: Option<String>,
    /// Never lock a user out
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    user_lockout_disable: Option<bool>,
}

impl Args {
    /// Tunes it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let mount = tidy(&self.path);
        let path = format!("sys/auth/{mount}/tune");
        client
            .send(Call::post(&path).body(self.body()?).unwrapped())
            .map_err(|error| error.context(format!("Error tuning auth method {mount}/")))?;
        output.success(&format!("Success! Tuned the auth method at: {mount}/"))
    }

    fn body(&self) -> Result<Json> {
        let mut body = self.config.settings();
        let texts = [("description", &self.config.description), ("token_type", &self.token_type)];
        for (key, value) in texts {
            if let Some(text) = value {
                body.set(key, Json::text(text.as_str()));
            }
        }
        if let Some(options) = self.config.options()? {
            body.set("options", options);
        }
        let threshold = self.user_lockout_threshold.map(|count| count.to_string());
        let mut lockout = Json::Map(Vec::new());
        for (key, value) in [
            ("lockout_threshold", &threshold),
            ("lockout_duration", &self.user_lockout_duration),
            ("lockout_counter_reset_duration", &self.user_lockout_counter_reset_duration),
        ] {
            if let Some(text) = value {
                lockout.set(key, Json::text(text.as_str()));
            }
        }
        if let Some(disable) = self.user_lockout_disable {
            lockout.set("lockout_disable", Json::Bool(disable));
        }
        if !lockout.members().is_empty() {
            body.set("user_lockout_config", lockout);
        }
        Ok(body)
    }
}
