//! `arca print token`

use clap::Subcommand;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::output::Output;

/// What this command line works with.
#[derive(Subcommand)]
pub(crate) enum Print {
    /// Print the token that requests carry
    Token,
}

impl Print {
    /// Prints it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        match self {
            Self::Token => match client.token()? {
                Some(token) => output.line(token.expose()),
                None => Err(Error::local("There is no token.").advise("Log in with `arca login`, or set ARCA_TOKEN.")),
            },
        }
    }
}
