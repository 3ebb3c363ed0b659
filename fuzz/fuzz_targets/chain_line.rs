//! An audit log that anyone may have written, compressed or not: it is verified or found wanting, and a server can go on
//! behind it.
#![no_main]

use std::io::Cursor;

use arca::chain::{Start, Verifier, VerifyingKey, began, first_seq, last_of, recover};
use libfuzzer_sys::fuzz_target;

const KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fuzz_target!(|bytes: &[u8]| {
    let key = VerifyingKey::parse(KEY).expect("a key");
    let mut verifier = Verifier::new(vec![key], Start::Anywhere);
    verifier.read(&mut &*bytes).expect("memory can be read");
    let report = verifier.finish(None);
    assert_eq!(report.is_intact(), report.violations == 0);
    let recovered = recover(&mut Cursor::new(bytes)).expect("memory can be read");
    began(bytes).expect("memory can be read");
    first_seq(bytes).expect("memory can be read");
    let last = last_of(bytes).expect("memory can be read");
    // Read from either end, a plain log ends in the same line.
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        assert_eq!(last.last, recovered.last);
    }
});
