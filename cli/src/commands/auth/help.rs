//! `arca auth help TYPE|PATH`

use crate::client::{Call, Client};
use crate::commands::login::Method;
use crate::commands::tidy;
use crate::error::{Error, Exit, Result};
use crate::output::Output;

/// Says how to log in with an auth method.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The method, or where it is mounted
    method: String,
}

impl Args {
    /// Prints it. A path is looked up on the server.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let name = tidy(&self.method);
        if let Some(method) = Method::of(name) {
            return output.line(&method.help());
        }
        let answer = client.call(Call::get("sys/auth").unwrapped());
        let answer = answer.map_err(|error| error.context("Error listing authentication methods"))?;
        let kind = answer.and_then(|secret| Some(secret.data.at(&format!("{name}/"))?.text_at("type").to_owned()));
        let Some(kind) = kind else {
            return Err(Error::local(format!("No auth method available on the server at \"{name}/\""))
                .advise("`arca auth list` shows which there are."));
        };
        match Method::of(&kind) {
            Some(method) => output.line(&method.help()),
            None => Err(Error::local(format!("`arca login` has no way for the auth method \"{kind}\""))
                .exiting(Exit::Remote)
                .advise(format!("`arca path-help auth/{name}/login` says what a login takes; `arca write` sends it."))),
        }
    }
}
