//! `arca token capabilities [-accessor] [TOKEN] PATH`

use crate::client::{Call, Client};
use crate::error::{Error, Result};
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// Says what a token may do at a path: the one that requests carry, if none is given.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The token (or - for standard input) and the path, or the path alone
    #[arg(required = true, num_args = 1..=2, value_name = "[TOKEN] PATH")]
    words: Vec<String>,
    /// The first argument is an accessor
    #[arg(long)]
    accessor: bool,
}

impl Args {
    /// Asks and prints.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let call = match self.words.as_slice() {
            [path] if !self.accessor => {
                Call::post("sys/capabilities-self").body(Json::map([("path", Json::text(path.as_str()))]))
            }
            [accessor, path] if self.accessor => Call::post("sys/capabilities-accessor")
                .body(Json::map([("accessor", Json::text(accessor.as_str())), ("path", Json::text(path.as_str()))])),
            [token, path] => {
                let token = Json::Text(input::secret(Some(token), "Token", false)?);
                Call::post("sys/capabilities").body(Json::map([("token", token), ("path", Json::text(path.as_str()))]))
            }
            words => {
                return Err(Error::local(format!("Wrong number of arguments (expected 1-2, got {})", words.len()))
                    .advise("Give a path, or a token (with -accessor, an accessor) and a path."));
            }
        };
        let context = |error: Error| error.context("Error listing capabilities");
        let answer = client.call(call.unwrapped()).map_err(context)?;
        let data = answer.map_or(Json::Null, |secret| secret.data);
        let path = self.words.last().map_or("", String::as_str);
        let found = data.some("capabilities").or_else(|| data.some(path)).map_or(Json::List(Vec::new()), Json::copy);
        if output.format().is_for_people() {
            let mut names: Vec<_> = found.items().iter().filter_map(Json::as_text).collect();
            names.sort_unstable();
            return output.line(&names.join(", "));
        }
        output.names("Capabilities", &found)
    }
}
