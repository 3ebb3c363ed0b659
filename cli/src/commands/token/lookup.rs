//! `arca token lookup [-accessor] [TOKEN]`

use crate::args::Field;
use crate::client::{Call, Client};
use crate::error::{Error, Result};
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// Shows what is known of a token: of the one that requests carry, if none is given.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The token, or - for standard input
    token: Option<String>,
    /// The argument is an accessor
    #[arg(long)]
    accessor: bool,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Asks and prints.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let call = match (&self.token, self.accessor) {
            (None, true) => {
                return Err(Error::local("Not enough arguments: -accessor needs an accessor").advise("Give one."));
            }
            (None, false) => Call::get("auth/token/lookup-self"),
            (Some(accessor), true) => {
                Call::post("auth/token/lookup-accessor").body(Json::map([("accessor", Json::text(accessor.as_str()))]))
            }
            (Some(token), false) => {
                let token = Json::Text(input::secret(Some(token), "Token", false)?);
                Call::post("auth/token/lookup").body(Json::map([("token", token)]))
            }
        };
        let answer = client.call(call).map_err(|error| error.context("Error looking up token"))?;
        let secret = answer.ok_or_else(|| Error::absent("auth/token/lookup"))?;
        output.show(secret, self.field.field.as_deref())
    }
}
