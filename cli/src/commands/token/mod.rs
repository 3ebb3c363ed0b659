//! `arca token …`

mod capabilities;
mod create;
mod lookup;
mod renew;
mod revoke;

use clap::Subcommand;

use crate::client::Client;
use crate::error::Result;
use crate::output::Output;

/// Tokens.
#[derive(Subcommand)]
pub(crate) enum Token {
    /// Say what a token may do at a path
    Capabilities(capabilities::Args),
    /// Make a token
    Create(Box<create::Args>),
    /// Show what is known of a token
    Lookup(lookup::Args),
    /// Let a token last longer
    Renew(renew::Args),
    /// End a token, and what it made
    Revoke(revoke::Args),
}

impl Token {
    /// Does it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        match self {
            Self::Capabilities(args) => args.run(client, output),
            Self::Create(args) => args.run(client, output),
            Self::Lookup(args) => args.run(client, output),
            Self::Renew(args) => args.run(client, output),
            Self::Revoke(args) => args.run(client, output),
        }
    }
}
