//! A policy is read or refused, and what is kept of it is read as the same policy again.
#![no_main]

use arca::policy::{Policy, PolicyName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let name = || PolicyName::parse("fuzzed").expect("a name");
    if let Ok(policy) = Policy::parse(name(), text) {
        let again = Policy::parse(name(), policy.text()).expect("the text of a policy is one");
        assert_eq!(again.text(), policy.text());
    }
});
