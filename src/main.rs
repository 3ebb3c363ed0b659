//! `arcad`, the server.

use std::alloc::System;
use std::process::ExitCode;

use arca::daemon::{Args, run};
use clap::Parser;
use zeroizing_alloc::ZeroAlloc;

/// Wipes what it is given back: buffers of TLS, HTTP and JSON too, which know nothing of secrets.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    run(Args::parse())
}
