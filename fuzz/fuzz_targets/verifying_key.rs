//! The public key of an audit log, in PEM or base64.
#![no_main]

use arca::chain::VerifyingKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(key) = VerifyingKey::parse(text) {
        let again = VerifyingKey::parse(&key.to_pem()).expect("what was written can be read");
        assert_eq!(again.id(), key.id());
    }
});
