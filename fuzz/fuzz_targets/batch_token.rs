//! A batch token that somebody shows, and what is sealed in one.
#![no_main]

#[path = "../barrier.rs"]
mod barrier;

use barrier::BARRIER;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| arca::token::fuzz(&BARRIER, bytes));
