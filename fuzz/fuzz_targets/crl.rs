//! A list of revoked certificates that an operator uploads, as DER, in base64 or in PEM, or that a listener goes by.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    arca::auth::cert::fuzz_crl(bytes);
    arca::http::fuzz_revocation(bytes);
});
