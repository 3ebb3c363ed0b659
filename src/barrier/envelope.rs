//! The form of a ciphertext: `version ‖ term ‖ nonce ‖ ciphertext ‖ tag`, AES-256-GCM (NIST SP 800-38D) with a random
//! 96-bit nonce. Associated data: `version ‖ term ‖ context`, the context being the full key in the store.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};

use crate::entropy::Entropy;
use crate::error::Result;
use crate::secret::SecretBytes;

use super::BarrierError;

const VERSION: u8 = 1;
const TERM_END: usize = 5;
const NONCE_END: usize = 17;
const TAG_LEN: usize = 16;

/// A key that is ready for use. It lies on the heap, and is wiped on drop.
pub(super) struct Cipher(Box<Aes256Gcm>);

impl Cipher {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(Box::new(Aes256Gcm::new(key.into())))
    }
}

/// The term whose key opens `envelope`; nothing if it is too short or of another version.
pub(super) fn term(envelope: &[u8]) -> Option<u32> {
    let (version, rest) = envelope.split_first()?;
    if *version != VERSION || envelope.len() < NONCE_END + TAG_LEN {
        return None;
    }
    rest.first_chunk().map(|term| u32::from_be_bytes(*term))
}

/// The tag of `envelope`, which tells it from every other of its key and context; nothing if it is none.
pub(super) fn tag(envelope: &[u8]) -> Option<&[u8; TAG_LEN]> {
    term(envelope)?;
    envelope.last_chunk()
}

/// Encrypts `plaintext` for `context`.
pub(super) fn encrypt(
    cipher: &Cipher,
    term: u32,
    context: &str,
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>> {
    let nonce: [u8; 12] = entropy.bytes()?;
    let mut envelope = Vec::with_capacity(NONCE_END + plaintext.len() + TAG_LEN);
    envelope.push(VERSION);
    envelope.extend_from_slice(&term.to_be_bytes());
    envelope.extend_from_slice(&nonce);
    envelope.extend_from_slice(plaintext);
    let body = envelope.get_mut(NONCE_END..).unwrap_or_default();
    let tag = cipher
        .0
        .encrypt_inout_detached(&Nonce::from(nonce), &associated_data(term, context), body.into())
        .map_err(|_| crate::error::Error::invalid("the value is too large to be encrypted"))?;
    envelope.extend_from_slice(&tag);
    Ok(envelope)
}

/// Decrypts in place what [`encrypt`] made for the same `context`.
pub(super) fn decrypt(cipher: &Cipher, context: &str, mut envelope: Vec<u8>) -> Result<SecretBytes, BarrierError> {
    let term = term(&envelope).ok_or(BarrierError::Undecryptable)?;
    let nonce: [u8; 12] = slice(&envelope, TERM_END)?;
    let body_end = envelope.len() - TAG_LEN;
    let tag: [u8; TAG_LEN] = slice(&envelope, body_end)?;
    envelope.truncate(body_end);
    let body = envelope.get_mut(NONCE_END..).ok_or(BarrierError::Undecryptable)?;
    cipher
        .0
        .decrypt_inout_detached(&Nonce::from(nonce), &associated_data(term, context), body.into(), &Tag::from(tag))
        .map_err(|_| BarrierError::Undecryptable)?;
    envelope.drain(..NONCE_END);
    Ok(SecretBytes::new(envelope))
}

fn slice<const N: usize>(envelope: &[u8], start: usize) -> Result<[u8; N], BarrierError> {
    envelope.get(start..).and_then(|rest| rest.first_chunk()).copied().ok_or(BarrierError::Undecryptable)
}

fn associated_data(term: u32, context: &str) -> Vec<u8> {
    let mut data = Vec::with_capacity(TERM_END + context.len());
    data.push(VERSION);
    data.extend_from_slice(&term.to_be_bytes());
    data.extend_from_slice(context.as_bytes());
    data
}
