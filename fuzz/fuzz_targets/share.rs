//! A share of the unseal key, as an operator types it.
#![no_main]

use arca::seal::{parse_share, share_base64, share_hex};
use arca::secret::SecretText;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(share) = parse_share(&SecretText::new(text.to_owned())) {
        for written in [share_base64(&share), share_hex(&share)] {
            let again = parse_share(&written).expect("what was written can be read");
            assert_eq!(again.expose().len(), share.expose().len());
        }
    }
});
