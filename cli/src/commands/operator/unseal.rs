//! `arca operator unseal [SHARE]`

use crate::client::{Call, Client};
use crate::commands::status;
use crate::error::{Error, Result};
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// Gives one share of the unseal key. Leave the share out and type it where it is asked for: an argument can be seen
/// by others on this machine and stays in the shell's history.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The share in base64 or hexadecimal, or - for standard input; asked for if left out
    share: Option<String>,
    /// Forget the shares that were given so far
    #[arg(long)]
    reset: bool,
    /// Not supported: there is one kind of seal
    #[arg(long, hide = true)]
    migrate: bool,
}

impl Args {
    /// Sends the share, and shows how far unsealing is.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        if self.migrate {
            return Err(Error::local("There is no other kind of seal to migrate from.").advise("Leave out -migrate."));
        }
        let (body, doing) = if self.reset {
            (Json::map([("reset", Json::Bool(true))]), "Error resetting unseal process")
        } else {
            let share = input::secret(self.share.as_deref(), "Unseal Key", client.settings().interactive)?;
            (Json::map([("key", Json::Text(share))]), "Error unsealing")
        };
        let call = Call::put("sys/unseal").body(body).anonymous().unwrapped();
        let answer = client.call_json(call).map_err(|error| error.context(doing))?;
        output.show(status::sheet(client, answer), None)
    }
}
