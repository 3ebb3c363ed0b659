//! Set-up, tests, demonstration and measurements of Arca: `cargo xtask demo`, `cargo xtask test`, `cargo xtask bench`.

mod bench;
mod certificates;
mod clients;
mod conformance;
mod debian;
mod demo;
mod dockerfile;
mod elf;
mod failure;
mod folder;
mod fuzzing;
mod image;
mod metrics;
mod mutants;
mod node;
mod person;
mod port;
mod postgres;
mod program;
mod provider;
mod python;
mod reproducible;
mod running;
mod say;
mod sbom;
mod schema;
mod server;
mod supply;
mod test;
mod torture;
mod unit;
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
    /// Kill, starve, attack and fuzz Arca for about an hour, and say what was lost
    Torture(torture::Args),
    /// Let the decoders meet arbitrary input for a while, and keep the inputs that show most of them
    Fuzz(fuzzing::Args),
    /// Make the code that security rests on wrong in one place after the other, and see which the tests do not notice
    Mutants(mutants::Args),
    /// Check licences, sources and banned crates, and where asked known vulnerabilities
    Supply(supply::Args),
    /// Write the list of what the programs are made of (CycloneDX)
    Sbom(sbom::Args),
    /// Build the programs of the image, and run them in its root folder without a container
    Image,
    /// Build the programs twice in different folders, and compare them
    Reproducible(reproducible::Args),
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
        Command::Torture(args) => torture::run(&args),
        Command::Fuzz(args) => fuzzing::at_will(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Mutants(args) => mutants::run(&args),
        Command::Supply(args) => supply::check(&args),
        Command::Sbom(args) => sbom::run(&args),
        Command::Image => image::run(),
        Command::Reproducible(args) => reproducible::run(&args),
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
