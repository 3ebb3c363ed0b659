//! `arca audit …`: audit devices and logs.

mod disable;
mod enable;
mod hash;
mod list;
mod verify;

use clap::Subcommand;

use crate::client::Client;
use crate::error::Result;
use crate::output::Output;

/// Audit devices and logs.
#[derive(Subcommand)]
pub(crate) enum Audit {
    /// Take an audit device away
    Disable(disable::Args),
    /// Add an audit device
    Enable(enable::Args),
    /// Hash a text as a device does, to find it in its log
    Hash(hash::Args),
    /// List the audit devices
    List(list::Args),
    /// Verify a log's hash chain and signatures, without a server
    Verify(verify::Args),
}

impl Audit {
    /// Does it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        match self {
            Self::Disable(args) => args.run(client, output),
            Self::Enable(args) => args.run(client, output),
            Self::Hash(args) => args.run(client, output),
            Self::List(args) => args.run(client, output),
            Self::Verify(args) => args.run(output),
        }
    }
}
