//! A certificate that a client shows, behind what a role demands of it in the first line.
#![no_main]

use libfuzzer_sys::fuzz_target;

const AUTHORITY: &str = include_str!("../authority.pem");
const ISSUED: &[u8] = include_bytes!("../seeds/x509/issued");

fuzz_target!(|bytes: &[u8]| {
    let demand = ISSUED.iter().position(|byte| *byte == b'\n').expect("a line");
    arca::auth::cert::fuzz_certificate(bytes, AUTHORITY, &ISSUED[demand + 1..]);
});
