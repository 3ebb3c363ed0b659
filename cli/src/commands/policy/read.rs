//! `arca policy read NAME`

use crate::client::{Call, Client};
use crate::error::{Error, Result};
use crate::json::Json;
use crate::output::{Output, Sheet};

/// Prints a policy.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The policy's name
    name: String,
}

impl Args {
    /// Reads and prints.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let name = self.name.trim().to_lowercase();
        let path = format!("sys/policies/acl/{name}");
        let call = Call::get(&path).unwrapped();
        let answer = client.fetch(call).map_err(|error| error.context(format!("Error reading policy named {name}")))?;
        let mut data = answer.map_or(Json::Null, |secret| secret.data);
        let text = data.take(if data.some("policy").is_some() { "policy" } else { "rules" });
        let Some(rules) = text.as_text() else {
            return Err(Error::remote(format!("No policy named: {name}")).advise("`arca policy list` shows the names."));
        };
        if output.format().is_for_people() {
            return output.line(rules.trim());
        }
        output.show(Sheet::of(Json::map([("policy", text)]), &[]), None)
    }
}
