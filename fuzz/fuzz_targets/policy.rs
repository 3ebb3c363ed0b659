//! A policy is read or refused, and keeps the text that it was written as.
#![no_main]

use arca::policy::{Policy, PolicyName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let name = PolicyName::parse("fuzzed").expect("a name");
    if let Ok(policy) = Policy::parse(name, text) {
        assert_eq!(policy.text(), text);
    }
});
