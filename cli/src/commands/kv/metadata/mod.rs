//! `arca kv metadata …`: what version 2 keeps about a secret.

mod delete;
mod get;
mod patch;
mod put;

use clap::Subcommand;

use crate::args::ttl_text;
use crate::client::Client;
use crate::error::Result;
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// What is kept about a secret.
#[derive(Subcommand)]
pub(crate) enum Metadata {
    /// Show it, and all versions
    Get(get::Args),
    /// Set it, in place of all that was there
    Put(put::Args),
    /// Change parts of it
    Patch(patch::Args),
    /// Delete the secret with all its versions for good
    Delete(delete::Args),
}

impl Metadata {
    /// Does it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        match self {
            Self::Get(args) => args.run(client, output),
            Self::Put(args) => args.run(client, output),
            Self::Patch(args) => args.run(client, output),
            Self::Delete(args) => args.run(client, output),
        }
    }
}

/// What `put` and `patch` can set.
#[derive(clap::Args)]
struct Settings {
    /// Whether every write must say which version is the newest
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    cas_required: Option<bool>,
    /// KEY=VALUE to keep with the secret; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    custom_metadata: Vec<String>,
    /// Delete each version after this long
    #[arg(long, value_name = "DURATION", value_parser = ttl_text)]
    delete_version_after: Option<String>,
    /// Keep so many versions
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    max_versions: Option<i64>,
}

impl Settings {
    fn body(&self) -> Result<Json> {
        let mut body = Json::Map(Vec::new());
        if let Some(required) = self.cas_required {
            body.set("cas_required", Json::Bool(required));
        }
        if !self.custom_metadata.is_empty() {
            body.set("custom_metadata", input::pairs(&self.custom_metadata)?);
        }
        if let Some(after) = &self.delete_version_after {
            body.set("delete_version_after", Json::text(after.as_str()));
        }
        if let Some(count) = self.max_versions.filter(|count| *count >= 0) {
            body.set("max_versions", Json::number(count));
        }
        Ok(body)
    }
}

const VERSION_1: &str = "Metadata not supported on KV Version 1";
