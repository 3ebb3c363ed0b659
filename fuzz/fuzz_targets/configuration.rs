//! The server's configuration, from its text to its checked types.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| arca::config::fuzz(bytes));
