//! `arca unwrap [TOKEN]`

use arca::secret::ClientToken;

use crate::args::Field;
use crate::client::{Call, Client};
use crate::error::{Error, Result};
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// Takes an answer out of its wrapping token, which then is spent.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The wrapping token, or - for standard input; if it is left out, the token that requests carry
    token: Option<String>,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Unwraps and prints.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let path = "sys/wrapping/unwrap";
        let call = Call::put(path).unwrapped();
        let token = match &self.token {
            Some(token) => Some(ClientToken::new(input::secret(Some(token), "Token", false)?.to_string())),
            None => None,
        };
        let call = match &token {
            // A wrapping token is good for one request, so it travels in the body; the operator's own goes along.
            Some(wrapping) if client.token()?.is_some() => {
                call.body(Json::map([("token", Json::text(wrapping.expose()))]))
            }
            Some(wrapping) => call.with_token(wrapping),
            None => call,
        };
        let answer = client.call(call).map_err(|error| error.context("Error unwrapping"))?;
        let secret = answer.ok_or_else(|| {
            Error::remote("The wrapped answer is empty.").advise("There was no data to wrap; nothing is lost.")
        })?;
        output.show(secret, self.field.field.as_deref())
    }
}
