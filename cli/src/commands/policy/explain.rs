//! `arca policy explain [-token=- | -accessor=… | -policy=NAME …] PATH OPERATION [K=V …]`

use zeroize::Zeroizing;

use crate::args::{self, Field};
use crate::client::{Call, Client};
use crate::error::{Error, Exit, Result};
use crate::input;
use crate::json::Json;
use crate::output::{Output, Sheet};

use super::verdict;

/// Says why a request may or may not go ahead, and which rule would let it: exit 0 allowed, 2 denied.
///
/// The request is not made. Whether a write finds something at the path is for you to say: create or update.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The path of the request
    path: String,
    /// What it does: read, create, update (or write), patch, delete, list or scan
    operation: String,
    /// The fields that it sends
    #[command(flatten)]
    data: args::Data,
    /// The token that makes it, - for standard input; the one that asks, if nothing is given
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["accessor", "policy"])]
    token: Option<String>,
    /// The accessor of the token that makes it
    // Elsewhere -accessor is a switch, so here its value has to follow an equals sign.
    #[arg(long, value_name = "ACCESSOR", require_equals = true, conflicts_with = "policy")]
    accessor: Option<String>,
    /// A policy that it is made with; may be repeated
    #[arg(long, value_name = "NAME")]
    policy: Vec<String>,
    /// For how long its answer is wrapped
    #[arg(long, value_name = "DURATION", value_parser = args::ttl_text)]
    wrapped_for: Option<String>,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Asks, prints, and ends as the answer is.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let mut body = Json::map([("path", Json::text(self.path)), ("operation", Json::text(self.operation))]);
        if let Some(token) = &self.token {
            body.set("token", Json::Text(input::secret(Some(token), "Token", false)?));
        }
        if let Some(accessor) = self.accessor {
            body.set("accessor", Json::text(accessor));
        }
        if !self.policy.is_empty() {
            body.set("policies", Json::texts(self.policy));
        }
        if let Some(ttl) = self.wrapped_for {
            body.set("wrap_ttl", Json::text(ttl));
        }
        if !self.data.data.is_empty() {
            body.set("parameters", input::data(&self.data.data)?);
        }
        let context = |error: Error| error.context("Error explaining policies");
        let answer = client.call(Call::post("sys/policies/explain").body(body).unwrapped()).map_err(context)?;
        let answer = answer.ok_or_else(|| Error::remote("The server's answer is empty."))?;
        for warning in &answer.warnings {
            output.note(&format!("Note: {warning}"))?;
        }
        let allowed = answer.data.is_true_at("allowed");
        let text = Zeroizing::new(verdict::text(&answer.data));
        output.show(Sheet { value: answer.data, text }, self.field.field.as_deref())?;
        if allowed { Ok(()) } else { Err(Error::quiet(Exit::Remote)) }
    }
}
