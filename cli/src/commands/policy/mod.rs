//! `arca policy …`

mod delete;
mod explain;
mod fmt;
mod list;
mod read;
mod test;
mod verdict;
mod write;

use clap::Subcommand;

use crate::client::Client;
use crate::error::Result;
use crate::output::Output;

/// Policies.
#[derive(Subcommand)]
pub(crate) enum Policy {
    /// Delete a policy
    Delete(delete::Args),
    /// Say why a request may or may not go ahead
    Explain(explain::Args),
    /// Write a policy file in its canonical form
    Fmt(fmt::Args),
    /// List the policies
    List(list::Args),
    /// Print a policy
    Read(read::Args),
    /// Check policy files against a table of expectations
    Test(test::Args),
    /// Write a policy
    Write(write::Args),
}

impl Policy {
    /// Does it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        match self {
            Self::Delete(args) => args.run(client, output),
            Self::Explain(args) => args.run(client, output),
            Self::Fmt(args) => args.run(output),
            Self::List(args) => args.run(client, output),
            Self::Read(args) => args.run(client, output),
            Self::Test(args) => args.run(output),
            Self::Write(args) => args.run(client, output),
        }
    }
}
