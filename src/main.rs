//! `arcad`, the server.

use std::process::ExitCode;

use arca::daemon::{Args, run};
use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    run(Args::parse()).await
}
