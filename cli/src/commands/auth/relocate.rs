//! `arca auth move FROM TO`

use crate::client::Client;
use crate::commands::{mount, tidy};
use crate::error::Result;
use crate::output::Output;

/// Moves an auth method to another path. Its tokens are revoked; policies do not follow.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where it is mounted, without auth/
    from: String,
    /// Where it is to be, without auth/
    to: String,
}

impl Args {
    /// Moves it, and waits.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let whole = |path: &str| {
            let path = tidy(path);
            format!("auth/{}/", path.strip_prefix("auth/").unwrap_or(path))
        };
        mount::relocate(client, output, "auth method", &whole(&self.from), &whole(&self.to))
    }
}
