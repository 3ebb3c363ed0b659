//! A checkpoint of a store, which anyone may have written.
#![no_main]

use arca::chain::VerifyingKey;
use libfuzzer_sys::fuzz_target;

const KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fuzz_target!(|bytes: &[u8]| {
    let key = VerifyingKey::parse(KEY).expect("a key");
    arca::vault::fuzz_checkpoint(bytes, key);
});
