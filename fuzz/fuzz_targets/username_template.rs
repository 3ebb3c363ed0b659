//! The template of usernames (behind the second line) for who asks (the first) and a role (the second).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| arca::engines::database::fuzz_username(text));
