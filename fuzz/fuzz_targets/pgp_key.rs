//! A PGP public key that an operator hands over, in base64 or armoured.
#![no_main]

use arca::seal::PublicKey;
use arca::time::Timestamp;
use data_encoding::BASE64;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    let _ = PublicKey::parse(&BASE64.encode(bytes), now);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = PublicKey::parse(text, now);
    }
});
