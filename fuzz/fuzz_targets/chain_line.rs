//! An audit log that anyone may have written: it is verified or found wanting, and a server can go on behind it.
#![no_main]

use std::io::Cursor;

use arca::chain::{Start, Verifier, VerifyingKey, recover};
use libfuzzer_sys::fuzz_target;

const KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fuzz_target!(|bytes: &[u8]| {
    let key = VerifyingKey::parse(KEY).expect("a key");
    let mut verifier = Verifier::new(vec![key], Start::Anywhere);
    verifier.read(&mut &*bytes).expect("memory can be read");
    let report = verifier.finish(None);
    assert_eq!(report.is_intact(), report.violations == 0);
    recover(&mut Cursor::new(bytes)).expect("memory can be read");
});
