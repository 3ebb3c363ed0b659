//! What was acknowledged is there after a crash, and nothing is half done.
//!
//! `kill` ends the real server under load, `faults` lets each single commit of an operation fail and `opening` those of a
//! beginning, `failing_files` each write to a file under them, `full_disk` takes the room away, and `hurt` changes the files
//! behind the server's back. `ARCA_TORTURE_ROUNDS` says how often the server is killed and how many ways of failing are tried;
//! the default fits a gate that is run before each change. Each test prints one line of figures, which `cargo xtask torture`
//! collects.

mod credentials;
mod database;
mod failing_files;
mod faults;
mod full_disk;
mod hurt;
mod interrupted;
mod kill;
mod load;
mod look;
mod medium;
mod object;
mod opening;
mod operations;
mod operator;
mod shares;

use arca::entropy::{Entropy, SystemEntropy};

/// How many rounds were asked for, if that was said.
fn rounds() -> Option<u32> {
    std::env::var_os("ARCA_TORTURE_ROUNDS").and_then(|rounds| rounds.to_str()?.parse().ok())
}

/// A number below `below`.
fn dice(below: u64) -> u64 {
    let random: [u8; 4] = (&SystemEntropy::new() as &dyn Entropy).bytes().unwrap();
    u64::from(u32::from_le_bytes(random)) % below
}
