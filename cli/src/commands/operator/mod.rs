//! `arca operator …`: initialise, unseal, seal, change keys, back up, restore, check.

mod backup;
mod check;
mod checkpoint;
mod generate_root;
mod init;
mod key_status;
mod offline;
mod raft;
mod rekey;
mod restore;
mod rotate;
mod seal;
mod unseal;

use clap::Subcommand;

use crate::client::Client;
use crate::error::Result;
use crate::json::Json;
use crate::output::Output;

/// What operators do to a vault.
#[derive(Subcommand)]
pub(crate) enum Operator {
    /// Initialise a new vault: make its keys and the first root token
    Init(init::Args),
    /// Give a share of the unseal key
    Unseal(unseal::Args),
    /// Seal the vault: forget its keys until it is unsealed
    Seal(seal::Args),
    /// Replace the unseal key and its shares
    #[command(alias = "rotate-keys")]
    Rekey(rekey::Args),
    /// Begin a new term of the key that encrypts the data
    Rotate(rotate::Args),
    /// Make a new root token with the shares of the unseal key
    GenerateRoot(generate_root::Args),
    /// Show the term of the key that encrypts the data
    KeyStatus(key_status::Args),
    /// Take a backup of the whole store
    Backup(backup::Args),
    /// Put a backup in the place of the store of a stopped server
    Restore(restore::Args),
    /// Look at every record of the store
    Check(check::Args),
    /// Make a signed note of how far the store has come
    Checkpoint(checkpoint::Args),
    /// Backups, as Vault's users write it
    #[command(subcommand)]
    Raft(raft::Raft),
}

impl Operator {
    /// Does it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        match self {
            Self::Init(args) => args.run(client, output),
            Self::Unseal(args) => args.run(client, output),
            Self::Seal(args) => args.run(client, output),
            Self::Rekey(args) => args.run(client, output),
            Self::Rotate(args) => args.run(client, output),
            Self::GenerateRoot(args) => args.run(client, output),
            Self::KeyStatus(args) => args.run(client, output),
            Self::Backup(args) => args.run(client, output),
            Self::Restore(args) => args.run(),
            Self::Check(args) => args.run(client, output),
            Self::Checkpoint(args) => args.run(client, output),
            Self::Raft(noun) => noun.run(client, output),
        }
    }
}

/// Text, or `n/a` if it is empty.
fn or_absent(text: &str) -> String {
    if text.is_empty() { "n/a".to_owned() } else { text.to_owned() }
}

/// A list of texts as `[a b]`.
fn bracketed(json: &Json, key: &str) -> String {
    format!("[{}]", json.texts_at(key).join(" "))
}
