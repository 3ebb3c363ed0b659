//! `arca token create`

use crate::args::{Field, ttl_text};
use crate::client::{Call, Client};
use crate::error::{Error, Result};
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// Makes a token, a child of the one that asks unless it is an orphan.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A policy of the token; may be repeated. Without it, those of the token that asks
    #[arg(long, value_name = "NAME")]
    policy: Vec<String>,
    /// How long it lasts at first
    #[arg(long, value_name = "DURATION", value_parser = ttl_text)]
    ttl: Option<String>,
    /// How long it lasts at most, renewed or not
    #[arg(long, value_name = "DURATION", value_parser = ttl_text)]
    explicit_max_ttl: Option<String>,
    /// Renew it to this again and again, without an end
    #[arg(long, value_name = "DURATION", value_parser = ttl_text)]
    period: Option<String>,
    /// How many requests it is good for; 0 is any number
    #[arg(long, value_name = "COUNT")]
    use_limit: Option<i64>,
    /// Without a parent: it outlives the token that asks
    #[arg(long)]
    orphan: bool,
    /// Make it by this role
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    /// service or batch
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Whether it can be renewed
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    renewable: Option<bool>,
    /// Without the policy `default`
    #[arg(long)]
    no_default_policy: bool,
    /// KEY=VALUE to keep with it and to show in the audit log; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    metadata: Vec<String>,
    /// What to call it
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// The entity alias, with -role
    #[arg(long, value_name = "NAME")]
    entity_alias: Option<String>,
    /// The token itself, in place of a random one
    #[arg(long, value_name = "TOKEN")]
    id: Option<String>,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Makes it, and prints it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let path = match &self.role {
            Some(role) => format!("auth/token/create/{role}"),
            None => "auth/token/create".to_owned(),
        };
        let call = Call::post(&path).body(self.body()?);
        let answer = client.call(call).map_err(|error| error.context("Error creating token"))?;
        let secret = answer
            .ok_or_else(|| Error::remote("The server answered with no token.").advise("Look into the server's log."))?;
        output.show(secret, self.field.field.as_deref())
    }

    /// What was given, and no more: the server knows the defaults.
    fn body(&self) -> Result<Json> {
        let mut body = Json::Map(Vec::new());
        if !self.policy.is_empty() {
            body.set("policies", Json::texts(self.policy.iter().map(String::as_str)));
        }
        if !self.metadata.is_empty() {
            body.set("meta", input::pairs(&self.metadata)?);
        }
        for (key, value) in [
            ("id", &self.id),
            ("ttl", &self.ttl),
            ("explicit_max_ttl", &self.explicit_max_ttl),
            ("period", &self.period),
            ("display_name", &self.display_name),
            ("type", &self.kind),
            ("entity_alias", &self.entity_alias),
        ] {
            if let Some(text) = value {
                body.set(key, Json::text(text.as_str()));
            }
        }
        for (key, value) in [("no_parent", self.orphan), ("no_default_policy", self.no_default_policy)] {
            if value {
                body.set(key, Json::Bool(true));
            }
        }
        if let Some(limit) = self.use_limit {
            body.set("num_uses", Json::number(limit));
        }
        if let Some(renewable) = self.renewable {
            body.set("renewable", Json::Bool(renewable));
        }
        Ok(body)
    }
}
