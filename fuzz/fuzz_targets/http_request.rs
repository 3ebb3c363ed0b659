//! What a client sends before the body: the path (the first line), the query (the second) and the headers.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    arca::http::fuzz_request(text);
    text.lines().for_each(arca::trace::fuzz);
});
