//! What an identity provider answers: its discovery document, tokens for a code, and what it says about a caller.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| arca::auth::jwt::fuzz_answer(bytes));
