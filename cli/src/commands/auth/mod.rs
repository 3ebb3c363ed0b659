//! `arca auth …`: mounts of auth methods.

mod disable;
mod enable;
mod help;
mod list;
mod relocate;
mod tune;

use clap::Subcommand;

use crate::client::Client;
use crate::error::Result;
use crate::output::Output;

/// Auth methods.
#[derive(Subcommand)]
pub(crate) enum Auth {
    /// Take an auth method away; its tokens end
    Disable(disable::Args),
    /// Mount an auth method
    Enable(enable::Args),
    /// Say how to log in with a method
    Help(help::Args),
    /// List the auth methods
    List(list::Args),
    /// Move an auth method to another path
    Move(relocate::Args),
    /// Change how an auth method is set up
    Tune(tune::Args),
}

impl Auth {
    /// Does it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        match self {
            Self::Disable(args) => args.run(client, output),
            Self::Enable(args) => args.run(client, output),
            Self::Help(args) => args.run(client, output),
            Self::List(args) => args.run(client, output),
            Self::Move(args) => args.run(client, output),
            Self::Tune(args) => args.run(client, output),
        }
    }
}
