//! The URL of another server (the first line) and where its answer redirects to, or when it wants to be asked again.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    arca::outbound::fuzz_destination(text);
    arca::outbound::fuzz_retry_after(text);
});
