//! Set-up, tests, demonstration and measurements of Arca: `cargo xtask demo`, `cargo xtask test`, `cargo xtask bench`.

mod bench;
mod certificates;
mod clients;
mod conformance;
mod debian;
mod demo;
mod failure;
mod folder;
mod fuzzing;
mod metrics;
mod node;
mod person;
mod port;
mod postgres;
mod program;
mod provider;
mod python;
mod running;
mod say;
mod schema;
mod server;
mod test;
mod wait;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// Set-up, tests, demonstration and measurements of Arca
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build Arca, start it, and show all that it is for: seal, secrets, certificates, database users, crash, audit
    Demo(demo::Args),
    /// Measure Arca beside OpenBao under the same load
    Bench(bench::Args),
    /// Install what the tests need and run all of them
    Test(test::Args),
    /// Run a new server for a conformance scenario
    #[command(hide = true)]
    FreshServer {
        /// The program
        arcad: PathBuf,
    },
}

fn main() -> ExitCode {
    let outcome: Result<(), Failure> = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::FreshServer { arcad } => conformance::fresh(&arcad),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::failure(&failure);
            ExitCode::FAILURE
        }
    }
}
