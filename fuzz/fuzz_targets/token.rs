//! A root token behind a one-time password: the first line is the password, the rest the encoded token.
#![no_main]

use arca::seal::decode_token;
use arca::secret::SecretText;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (otp, encoded) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(token) = decode_token(encoded, &SecretText::new(otp.to_owned())) {
        assert_eq!(token.expose().len(), otp.len());
    }
});
