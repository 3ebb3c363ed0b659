//! `arca token renew [-accessor] [-increment=DURATION] [TOKEN]`

use crate::args::ttl_text;
use crate::client::{Call, Client};
use crate::error::{Error, Result};
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// Lets a token last longer: the one that requests carry, if none is given.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The token, or - for standard input
    token: Option<String>,
    /// The argument is an accessor; the token is not shown
    #[arg(long)]
    accessor: bool,
    /// From now on so long, if the server agrees
    #[arg(long, alias = "i", value_name = "DURATION", value_parser = ttl_text)]
    increment: Option<String>,
}

impl Args {
    /// Renews, and prints how long it lasts now.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let mut body = Json::Map(Vec::new());
        if let Some(increment) = &self.increment {
            body.set("increment", Json::text(increment.as_str()));
        }
        let call = match (&self.token, self.accessor) {
            (None, true) => {
                return Err(Error::local("Not enough arguments: -accessor needs an accessor").advise("Give one."));
            }
            (None, false) => Call::put("auth/token/renew-self"),
            (Some(accessor), true) => {
                body.set("accessor", Json::text(accessor.as_str()));
                Call::post("auth/token/renew-accessor")
            }
            (Some(token), false) => {
                body.set("token", Json::Text(input::secret(Some(token), "Token", false)?));
                Call::put("auth/token/renew")
            }
        };
        let answer = client.call(call.body(body)).map_err(|error| error.context("Error renewing token"))?;
        let secret = answer.ok_or_else(|| Error::absent("auth/token/renew"))?;
        output.show(secret, None)
    }
}
