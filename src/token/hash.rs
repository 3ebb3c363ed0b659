//! What a token and an accessor hash to: HMAC-SHA-256 (RFC 2104) under a key of the vault, in hexadecimal.

use data_encoding::HEXLOWER;
use ring::hmac;

use crate::secret::{ClientToken, TokenKey};

/// Hashes tokens and accessors for storage.
#[derive(Clone)]
pub struct TokenHasher(hmac::Key);

impl TokenHasher {
    /// A hasher under `key`.
    pub fn new(key: &TokenKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    /// The id of `token`: 64 characters.
    pub fn token(&self, token: &ClientToken) -> String {
        self.hash(b"token:", token.expose())
    }

    /// The key of `accessor` in the store: 64 characters.
    pub fn accessor(&self, accessor: &str) -> String {
        self.hash(b"accessor:", accessor)
    }

    fn hash(&self, purpose: &[u8], text: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose);
        context.update(text.as_bytes());
        HEXLOWER.encode(context.sign().as_ref())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn every_token_and_accessor_has_an_id_of_its_own_under_each_key() {
        let hasher = |seed| TokenHasher::new(&TokenKey::generate(&SeededEntropy::new(seed)).unwrap());
        let mut ids = BTreeSet::new();
        for hasher in [hasher(1), hasher(2)] {
            for text in ["s.a", "s.b"] {
                let token = ClientToken::new(text.to_owned());
                assert_eq!(hasher.token(&token), hasher.token(&token));
                ids.extend([hasher.token(&token), hasher.accessor(text)]);
            }
        }
        assert_eq!(ids.len(), 8);
        assert!(ids.iter().all(|id| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())), "{ids:?}");
    }
}
