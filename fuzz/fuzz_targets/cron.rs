//! When a password is rotated (behind the first line), after which moment (the first).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| arca::engines::database::fuzz_cron(text));
