//! A document is read or refused, and its canonical form is the canonical form of itself.
#![no_main]

use arca::hcl;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = hcl::parse(bytes);
    if let Ok(text) = hcl::format(bytes) {
        assert!(read.is_ok(), "what can be formatted can be read");
        assert_eq!(hcl::format(text.as_bytes()).expect("formatted text can be read"), text);
    }
});
