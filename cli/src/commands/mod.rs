//! The command tree: nouns, then verbs. Each verb is a file: its arguments, and what it does with them.

mod audit;
mod auth;
mod completion;
mod data;
mod kv;
mod lease;
mod login;
mod mount;
mod operator;
mod pgp;
mod policy;
mod print;
mod secrets;
mod status;
mod tls;
mod token;
mod version;

use clap::Subcommand;

use crate::args::Globals;
use crate::client::Client;
use crate::error::Result;
use crate::output::Output;

/// Everything that can be done.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Commands that talk to a server.
    #[command(flatten)]
    Online(Box<Online>),
    /// Commands that do not.
    #[command(flatten)]
    Offline(Offline),
}

/// Commands that talk to a server.
#[derive(Subcommand)]
pub(crate) enum Online {
    /// Read data, or make credentials, at a path
    Read(data::read::Args),
    /// Write data to a path
    Write(data::write::Args),
    /// Change parts of the data at a path
    Patch(data::patch::Args),
    /// Delete the data at a path
    Delete(data::delete::Args),
    /// List what is in a folder
    List(data::list::Args),
    /// List what is in a folder and in the folders below it
    Scan(data::scan::Args),
    /// Take an answer out of its wrapping token
    Unwrap(data::unwrap::Args),
    /// Say what a path takes and does
    PathHelp(data::path_help::Args),
    /// Log in and keep the token
    Login(login::Args),
    /// Say whether the vault is sealed
    Status(status::Args),
    /// Print what this command line works with
    #[command(subcommand)]
    Print(print::Print),
    /// Secrets of the key-value engine, versions 1 and 2
    #[command(subcommand)]
    Kv(kv::Kv),
    /// Tokens
    #[command(subcommand)]
    Token(token::Token),
    /// Policies
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Secrets engines
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Auth methods
    #[command(subcommand)]
    Auth(auth::Auth),
    /// Leases
    #[command(subcommand)]
    Lease(lease::Lease),
    /// Audit devices and logs
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Initialise, unseal, seal, change keys
    #[command(subcommand)]
    Operator(operator::Operator),
}

/// Commands that do not talk to a server.
#[derive(Subcommand)]
pub(crate) enum Offline {
    /// Make the certificates of a first set-up
    #[command(subcommand)]
    Tls(tls::Tls),
    /// Print a completion script for a shell
    Completion(completion::Args),
    /// Print the version
    Version(version::Args),
}

impl Command {
    /// Does it.
    pub(crate) fn run(self, globals: Globals, output: &mut Output) -> Result<()> {
        match self {
            Self::Offline(command) => command.run(output),
            Self::Online(command) => {
                let client = Client::new(globals.settings()?);
                if client.settings().tls.skip_verify && client.settings().address.is_tls() {
                    output.note(
                        "WARNING! The server's certificate is not checked: whoever is on the way can read and change \
                         everything, the token too.\n",
                    )?;
                }
                command.run(&client, output)
            }
        }
    }
}

impl Online {
    fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        match self {
            Self::Read(args) => args.run(client, output),
            Self::Write(args) => args.run(client, output),
            Self::Patch(args) => args.run(client, output),
            Self::Delete(args) => args.run(client, output),
            Self::List(args) => args.run(client, output),
            Self::Scan(args) => args.run(client, output),
            Self::Unwrap(args) => args.run(client, output),
            Self::PathHelp(args) => args.run(client, output),
            Self::Login(args) => args.run(client, output),
            Self::Status(args) => args.run(client, output),
            Self::Print(noun) => noun.run(client, output),
            Self::Kv(noun) => noun.run(client, output),
            Self::Token(noun) => noun.run(client, output),
            Self::Policy(noun) => noun.run(client, output),
            Self::Secrets(noun) => noun.run(client, output),
            Self::Auth(noun) => noun.run(client, output),
            Self::Lease(noun) => noun.run(client, output),
            Self::Audit(noun) => noun.run(client, output),
            Self::Operator(noun) => noun.run(client, output),
        }
    }
}

impl Offline {
    fn run(self, output: &mut Output) -> Result<()> {
        match self {
            Self::Tls(noun) => noun.run(output),
            Self::Completion(args) => args.run(output),
            Self::Version(args) => args.run(output),
        }
    }
}

/// A path without spaces and slashes at its ends.
fn tidy(path: &str) -> &str {
    path.trim().trim_matches('/')
}
