//! The load of `cargo xtask bench`: one program that makes requests over mTLS and times them, and the floor, the smallest
//! server that answers the same bytes.
//!
//! `arca-load run` reads a [`plan::Plan`] as JSON from its standard input and writes a [`report::Report`] as JSON to its
//! standard output. It runs on one thread, so that a server on two cores keeps one of them at least.

mod client;
mod floor;
mod plan;
mod report;
mod run;
mod tls;
mod work;

use std::io::{Read, Write, stdin, stdout};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Makes load over mTLS, and measures it
#[derive(Parser)]
#[command(name = "arca-load")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read a plan from standard input, carry it out, and write what was measured
    Run,
    /// Serve answers of a fixed size from a map: no vault can be faster than this
    Floor(floor::Args),
}

/// What went wrong, for people.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run => load(),
        Command::Floor(args) => floor::serve(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "arca-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn load() -> Result<(), Error> {
    let mut text = String::new();
    stdin().read_to_string(&mut text)?;
    let plan = serde_json::from_str(&text)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(run::run(plan))?;
    serde_json::to_writer(stdout().lock(), &report)?;
    Ok(())
}
