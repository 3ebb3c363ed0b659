//! What PostgreSQL stores for a password under `scram-sha-256` (RFC 5802, RFC 7677), computed here so that the database
//! and its logs never see the password.

use std::num::NonZeroU32;

use data_encoding::BASE64;
use ring::{digest, hmac, pbkdf2};
use stringprep::saslprep;
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::error::Result;
use crate::secret::SecretText;

/// PostgreSQL's own default.
const ITERATIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(4095);

/// The verifier of `password`, with a new salt: `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`.
pub(super) fn verifier(password: &SecretText, entropy: &dyn Entropy) -> Result<SecretText> {
    Ok(SecretText::new(salted(password.expose(), &entropy.bytes::<16>()?)))
}

fn salted(password: &str, salt: &[u8]) -> String {
    // As PostgreSQL itself does: what SASLprep does not allow is taken as it is.
    let prepared = Zeroizing::new(saslprep(password).map_or_else(|_| password.to_owned(), Into::into));
    let mut salted_password = Zeroizing::new([0; digest::SHA256_OUTPUT_LEN]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, salt, prepared.as_bytes(), &mut *salted_password);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &*salted_password);
    let stored_key = digest::digest(&digest::SHA256, hmac::sign(&key, b"Client Key").as_ref());
    let server_key = hmac::sign(&key, b"Server Key");
    format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        BASE64.encode(salt),
        BASE64.encode(stored_key.as_ref()),
        BASE64.encode(server_key.as_ref())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn the_keys_follow_from_password_and_salt() {
        // The salt and the keys of RFC 7677's example exchange (user "user", password "pencil").
        let salt = BASE64.decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        assert_eq!(
            salted("pencil", &salt),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
             wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn text_is_normalised_and_salts_differ() {
        // NO-BREAK SPACE becomes a blank, SOFT HYPHEN nothing (RFC 4013, section 2.1).
        assert_eq!(salted("a\u{a0}b\u{ad}", b"salt"), salted("a b", b"salt"));
        let entropy = SeededEntropy::new(1);
        let password = SecretText::new("x".to_owned());
        let (one, other) = (verifier(&password, &entropy).unwrap(), verifier(&password, &entropy).unwrap());
        assert!(!one.ct_eq(&other));
    }
}
