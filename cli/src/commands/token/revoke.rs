//! `arca token revoke [-self] [-accessor] [-mode=orphan|path] [TOKEN]`

use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::{Error, Result};
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// Ends a token, with its children and its leases.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The token, or - for standard input
    token: Option<String>,
    /// The argument is an accessor
    #[arg(long)]
    accessor: bool,
    /// The token that requests carry
    #[arg(long = "self")]
    own: bool,
    /// `orphan` leaves the children, as orphans; `path` ends all tokens that came from the path that is given
    #[arg(long, value_name = "MODE", default_value = "", hide_default_value = true)]
    mode: String,
}

impl Args {
    /// Revokes.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let prefix;
        let call = match (&self.token, self.mode.as_str()) {
            (Some(_), _) if self.own => {
                return Err(
                    Error::local("Too many arguments: -self takes none").advise("Give a token or -self, not both.")
                );
            }
            (None, _) if !self.own => {
                return Err(Error::local("Not enough arguments (expected 1 or -self, got 0)")
                    .advise("Give the token to revoke, or -self."));
            }
            (_, mode) if (self.own || self.accessor) && !mode.is_empty() => {
                return Err(
                    Error::local("-mode cannot be used with -self or -accessor").advise("Leave one of them out.")
                );
            }
            (None, _) => Call::put("auth/token/revoke-self"),
            (Some(accessor), _) if self.accessor => {
                Call::post("auth/token/revoke-accessor").body(Json::map([("accessor", Json::text(accessor.as_str()))]))
            }
            (Some(path), "path") => {
                prefix = format!("sys/leases/revoke-prefix/{}", tidy(path));
                Call::put(&prefix)
            }
            (Some(token), mode @ ("" | "orphan")) => {
                let token = Json::Text(input::secret(Some(token), "Token", false)?);
                let path = if mode.is_empty() { "auth/token/revoke" } else { "auth/token/revoke-orphan" };
                Call::put(path).body(Json::map([("token", token)]))
            }
            (Some(_), mode) => {
                return Err(Error::local(format!("Invalid mode: {mode}")).advise("Use orphan or path, or no -mode."));
            }
        };
        client.send(call.unwrapped()).map_err(|error| error.context("Error revoking token"))?;
        output.success("Success! Revoked token (if it existed)")
    }
}
