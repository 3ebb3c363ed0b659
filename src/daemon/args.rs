//! The command line of `arcad`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::secret::ClientToken;

use super::offline::{CheckOptions, RestoreOptions};

/// Arca, a secrets vault that speaks the Vault HTTP API v1.
#[derive(Debug, Parser)]
#[command(name = "arcad", version)]
pub struct Args {
    /// A configuration file, or a folder of them; may be repeated
    #[arg(long, value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Serve from memory, unsealed, with certificates made for this run. For trying things out: all is lost at the end
    #[arg(long, conflicts_with = "config")]
    dev: bool,
    /// The root token of --dev
    #[arg(long, value_name = "TOKEN", requires = "dev", env = "ARCA_DEV_ROOT_TOKEN_ID", hide_env_values = true)]
    dev_root_token_id: Option<String>,
    /// Where --dev listens
    #[arg(long, value_name = "ADDRESS", requires = "dev", default_value = "127.0.0.1:8200")]
    dev_listen_address: SocketAddr,
    /// The folder for the certificates of --dev [default: a new one below the folder for temporary files]
    #[arg(long, value_name = "DIR", requires = "dev")]
    dev_tls_dir: Option<PathBuf>,
    #[command(subcommand)]
    words: Option<Words>,
}

#[derive(Debug, Subcommand)]
enum Words {
    /// About the configuration file
    #[command(subcommand)]
    Config(ConfigWords),
    /// Look at every record of a store that no server has open: exit code 0 if nothing is wrong, 2 if something is
    Check {
        /// A configuration file, or a folder of them; may be repeated
        #[arg(long, value_name = "FILE", required = true)]
        config: Vec<PathBuf>,
        /// A checkpoint that the store must not be older than
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// Ask for no unseal keys, and look at the form of the records only
        #[arg(long)]
        without_keys: bool,
        /// Take records as they are that the ledger does not account for, after a look at them, and put that on record
        #[arg(long, conflicts_with = "without_keys")]
        accept: bool,
        /// Write the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Put a backup in the place of the store, while no server has it open
    Restore {
        /// A configuration file, or a folder of them; may be repeated
        #[arg(long, value_name = "FILE", required_unless_present = "verify_only")]
        config: Vec<PathBuf>,
        /// Replace the store of another vault too, and one that cannot be read
        #[arg(long)]
        force: bool,
        /// Only say whether the backup is whole
        #[arg(long)]
        verify_only: bool,
        /// The backup
        backup: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigWords {
    /// Say whether a configuration file is good and what it names can be read, and if not, what is wrong and where
    Check {
        /// Look at the text alone, and not for the certificates and other files that it names
        #[arg(long)]
        without_files: bool,
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// What the server is asked to do.
#[derive(Debug)]
pub enum Command {
    /// Serve by these files.
    Serve(Vec<PathBuf>),
    /// Check these files.
    Check {
        /// The configuration files.
        files: Vec<PathBuf>,
        /// Whether the files that they name may be missing.
        without_files: bool,
    },
    /// Serve from memory.
    Dev(DevOptions),
    /// Look at a store.
    CheckStore(CheckOptions),
    /// Restore a backup.
    Restore(RestoreOptions),
}

/// How to serve from memory.
#[derive(Debug)]
pub struct DevOptions {
    /// The root token; one is made up where none is given.
    pub root_token: Option<ClientToken>,
    /// Where to listen.
    pub address: SocketAddr,
    /// The folder for the certificates.
    pub tls_dir: Option<PathBuf>,
}

impl Args {
    /// What the server is asked to do.
    pub fn command(self) -> Command {
        let Self { config, dev, dev_root_token_id, dev_listen_address, dev_tls_dir, words } = self;
        match words {
            Some(Words::Config(ConfigWords::Check { files, without_files })) => Command::Check { files, without_files },
            Some(Words::Check { config, checkpoint, without_keys, accept, json }) => {
                Command::CheckStore(CheckOptions { config, checkpoint, without_keys, accept, json })
            }
            Some(Words::Restore { config, force, verify_only, backup }) => {
                Command::Restore(RestoreOptions { config, backup, force, verify_only })
            }
            None if dev => Command::Dev(DevOptions {
                root_token: dev_root_token_id.map(ClientToken::new),
                address: dev_listen_address,
                tls_dir: dev_tls_dir,
            }),
            None => Command::Serve(config),
        }
    }
}
