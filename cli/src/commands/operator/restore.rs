//! `arca operator restore -config=FILE BACKUP`

use std::path::PathBuf;

use super::offline::{become_server, config_arguments};
use crate::error::Result;

/// Puts a backup in the place of the store, on the server's machine and while the server is stopped. The unseal keys of the
/// time of the backup are asked for. The backup is read to its end before anything is written; the old store is kept beside.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The backup
    backup: PathBuf,
    /// The server's configuration file, or a folder of them; may be repeated
    #[arg(long, value_name = "FILE", required_unless_present = "verify_only")]
    config: Vec<PathBuf>,
    /// Replace the store of another vault too, and one that cannot be read
    #[arg(long)]
    force: bool,
    /// Only say whether the backup is whole
    #[arg(long)]
    verify_only: bool,
}

impl Args {
    /// Restores.
    pub(crate) fn run(self) -> Result<()> {
        let mut arguments = vec!["restore".into()];
        arguments.extend(config_arguments(&self.config));
        arguments.extend(self.force.then(|| "--force".into()));
        arguments.extend(self.verify_only.then(|| "--verify-only".into()));
        arguments.push("--".into());
        arguments.push(self.backup.into_os_string());
        Err(become_server(arguments))
    }
}
