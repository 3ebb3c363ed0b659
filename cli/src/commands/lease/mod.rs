//! `arca lease …`

mod lookup;
mod renew;
mod revoke;

use clap::Subcommand;

use crate::client::Client;
use crate::error::Result;
use crate::output::Output;

/// Leases.
#[derive(Subcommand)]
pub(crate) enum Lease {
    /// Show what is known of a lease
    Lookup(lookup::Args),
    /// Let a lease last longer
    Renew(renew::Args),
    /// End a lease, or all under a prefix
    Revoke(revoke::Args),
}

impl Lease {
    /// Does it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        match self {
            Self::Lookup(args) => args.run(client, output),
            Self::Renew(args) => args.run(client, output),
            Self::Revoke(args) => args.run(client, output),
        }
    }
}
