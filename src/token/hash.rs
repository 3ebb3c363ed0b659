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
