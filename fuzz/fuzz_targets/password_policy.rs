//! A policy of passwords, and a password by it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| arca::vault::fuzz_password_policy(text));
