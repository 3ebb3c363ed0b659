//! `arca operator raft snapshot save FILE`, as Vault's users write it. The store is no Raft cluster; its backups are the same
//! to those who take them.

use clap::Subcommand;

use super::backup;
use crate::client::Client;
use crate::error::Result;
use crate::output::Output;

/// What Vault's users know of its own store.
#[derive(Subcommand)]
pub(crate) enum Raft {
    /// Backups
    #[command(subcommand)]
    Snapshot(Snapshot),
}

/// Backups.
#[derive(Subcommand)]
pub(crate) enum Snapshot {
    /// The same as `arca operator backup -force`: as with Vault, a file that is there already is replaced
    Save(backup::Target),
}

impl Raft {
    /// Does it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        match self {
            Self::Snapshot(Snapshot::Save(target)) => target.fill(true, client, output),
        }
    }
}
