//! What a collector of audit lines answers: a status in two bytes, the number of lines that it was sent, the body.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| arca::audit::sinks::fuzz_answer(bytes));
