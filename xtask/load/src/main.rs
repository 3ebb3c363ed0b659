//! The load of `cargo xtask bench`: one program that makes requests over mTLS and times them, and the floor, the smallest
//! server that answers the same bytes.
//!
//! `arca-load run` reads a [`plan::Plan`] as JSON from its standard input and writes a [`report::Report`] as JSON to its
//! standard output. It runs on one thread, so that a server on two cores keeps one of them at least. `arca-load start` reads
//! a [`plan::Start`] and ends when the server answers as an unsealed vault.

mod client;
mod floor;
mod plan;
mod process;
mod report;
mod run;
mod schedule;
mod start;
mod tls;
mod work;

use std::io::{Read, Write, stdin, stdout};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};

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
    /// Read a start from standard input, unseal the server as soon as it listens, and end when it answers
    Start,
    /// Serve answers of a fixed size from a map: no vault can be faster than this
    Floor(floor::Args),
}

/// What went wrong, for people.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run => load(),
        Command::Start => start(),
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
    let report = runtime()?.block_on(run::run(read()?))?;
    serde_json::to_writer(stdout().lock(), &report)?;
    Ok(())
}

fn start() -> Result<(), Error> {
    runtime()?.block_on(start::unsealed(&read()?))
}

fn read<T: DeserializeOwned>() -> Result<T, Error> {
    let mut text = String::new();
    stdin().read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

fn runtime() -> Result<Runtime, Error> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
