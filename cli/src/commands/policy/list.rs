//! `arca policy list`

use crate::client::{Call, Client};
use crate::error::Result;
use crate::json::Json;
use crate::output::Output;

/// Lists the policies.
#[derive(clap::Args)]
pub(crate) struct Args;

impl Args {
    /// Lists.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let answer = client.fetch(Call::list("sys/policies/acl").unwrapped());
        let answer = answer.map_err(|error| error.context("Error listing policies"))?;
        let names = answer.and_then(|mut secret| Some(secret.data.take("keys")).filter(|keys| *keys != Json::Null));
        let names = names.unwrap_or_else(|| Json::List(Vec::new()));
        if !output.format().is_for_people() {
            return output.names("Policies", &names);
        }
        names.items().iter().filter_map(Json::as_text).try_for_each(|name| output.line(name))
    }
}
