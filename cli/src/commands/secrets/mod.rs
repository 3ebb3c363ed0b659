//! `arca secrets …`: mounts of secrets engines.

mod disable;
mod enable;
mod list;
mod relocate;
mod tune;

use clap::Subcommand;

use crate::client::Client;
use crate::error::Result;
use crate::output::Output;

/// Secrets engines.
#[derive(Subcommand)]
pub(crate) enum Secrets {
    /// Take a secrets engine away with all that it keeps
    Disable(disable::Args),
    /// Mount a secrets engine
    Enable(enable::Args),
    /// List what is mounted
    List(list::Args),
    /// Move a mount to another path
    Move(relocate::Args),
    /// Change how a mount is set up
    Tune(tune::Args),
}

impl Secrets {
    /// Does it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        match self {
            Self::Disable(args) => args.run(client, output),
            Self::Enable(args) => args.run(client, output),
            Self::List(args) => args.run(client, output),
            Self::Move(args) => args.run(client, output),
            Self::Tune(args) => args.run(client, output),
        }
    }
}
