//! `Entropy`: the only source of randomness, so that a test can repeat a run and make it fail.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};

use crate::error::{Error, Result};

/// Gives random bytes.
pub trait Entropy: Send + Sync + fmt::Debug + 'static {
    /// Fills all of `bytes`, or fails: a caller must never go on with what was there before.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}

impl dyn Entropy {
    /// `N` random bytes. For keys use a type of [`crate::secret`], which is filled in place.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// `count` characters of `0-9A-Za-z`, each equally likely: 5.95 bits a character.
    pub fn base62(&self, count: usize) -> Result<String> {
        const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut text = String::with_capacity(count);
        while text.len() < count {
            // 248 is the largest multiple of 62 in a byte: bytes above it would favour the first characters.
            let kept = self.bytes::<32>()?.into_iter().filter(|byte| *byte < 248);
            let characters = kept.filter_map(|byte| ALPHABET.get(usize::from(byte % 62)).copied());
            text.extend(characters.take(count - text.len()).map(char::from));
        }
        Ok(text)
    }

    /// A random UUID (RFC 9562, version 4), in its usual spelling.
    pub fn uuid(&self) -> Result<String> {
        let mut value = u128::from_be_bytes(self.bytes()?);
        value = value & !(0xf << 76) | 4 << 76;
        value = value & !(0x3 << 62) | 2 << 62;
        let hex = format!("{value:032x}");
        let mut text = String::with_capacity(36);
        for (index, character) in hex.chars().enumerate() {
            if matches!(index, 8 | 12 | 16 | 20) {
                text.push('-');
            }
            text.push(character);
        }
        Ok(text)
    }
}

/// The operating system's generator.
#[derive(Debug)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// The operating system's generator.
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        self.0.fill(bytes).map_err(|_| Error::internal("the operating system gave no randomness"))
    }
}

/// The same bytes for the same seed; for tests only.
#[derive(Debug)]
pub struct SeededEntropy {
    key: hmac::Key,
    counter: AtomicU64,
}

impl SeededEntropy {
    /// A generator whose bytes follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes()), counter: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        for chunk in bytes.chunks_mut(digest::SHA256_OUTPUT_LEN) {
            let count = self.counter.fetch_add(1, Ordering::SeqCst);
            let block = hmac::sign(&self.key, &count.to_be_bytes());
            for (target, source) in chunk.iter_mut().zip(block.as_ref()) {
                *target = *source;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_length_and_the_alphabet() {
        let entropy: &dyn Entropy = &SeededEntropy::new(1);
        let text = entropy.base62(1000).unwrap();
        assert_eq!(text.len(), 1000);
        assert!(text.chars().all(|c| c.is_ascii_alphanumeric()));
        assert_ne!(text, entropy.base62(1000).unwrap());
    }

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        let entropy: &dyn Entropy = &SystemEntropy::new();
        for _ in 0..50 {
            let uuid = entropy.uuid().unwrap();
            assert_eq!(uuid.len(), 36);
            assert_eq!(uuid.as_bytes()[14], b'4');
            assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        }
    }
}
