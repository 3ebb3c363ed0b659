//! A certificate that a client shows, behind what a role demands of it in the first line.
#![no_main]

use libfuzzer_sys::fuzz_target;

const AUTHORITY: &str = include_str!("../authority.pem");
/// What the authority signed, each behind a line.
const ISSUED: [&[u8]; 3] =
    [include_bytes!("../seeds/x509/issued"), include_bytes!("../seeds/x509/rich"), include_bytes!("../seeds/x509/hex")];

fuzz_target!(|bytes: &[u8]| {
    let issued = ISSUED.map(|seed| {
        let demand = seed.iter().position(|byte| *byte == b'\n').expect("a line");
        &seed[demand + 1..]
    });
    arca::auth::cert::fuzz_certificate(bytes, AUTHORITY, &issued);
});
