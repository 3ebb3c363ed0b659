//! A filter of an audit device that anyone may have written: it is refused, or it can be evaluated for every entry.
#![no_main]

use arca::audit::Filter;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Filter::parse(text) {
        // It was evaluated for the samples.
        Ok(filter) => assert_eq!(filter, Filter::parse(text).expect("the same again")),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
