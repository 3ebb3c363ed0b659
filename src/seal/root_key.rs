//! The root key at rest: encrypted under the seal key.
//!
//! Layout: one byte of version (1) ‖ 12 bytes of nonce ‖ 32 bytes of ciphertext ‖ 16 bytes of tag. AES-256-GCM, with a
//! text that names the purpose and the version as associated data, so that no other ciphertext passes for it. What this
//! does not protect from is an old wrapped key put back in the place of a new one.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::secret::{RootKey, SealKey};

use super::SealError;

const VERSION: u8 = 1;
const PURPOSE: &[u8] = b"arca root key under seal key, version 1";
const NONCE_LEN: usize = 12;
/// Version, nonce, ciphertext, tag.
const WRAPPED_LEN: usize = 1 + NONCE_LEN + 32 + 16;

/// Encrypts the root key under the seal key; 61 bytes.
pub fn wrap_root_key(seal: &SealKey, root: &RootKey, entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
    let nonce: [u8; NONCE_LEN] = entropy.bytes().map_err(SealError::Entropy)?;
    let payload = Payload { msg: root.expose(), aad: PURPOSE };
    let ciphertext = cipher(seal).encrypt(&Nonce::from(nonce), payload).map_err(|_| SealError::WrapFailed)?;
    Ok([&[VERSION], nonce.as_slice(), &ciphertext].concat())
}

/// Decrypts the root key. [`SealError::WrongKey`] when it was encrypted under another seal key, or changed;
/// [`SealError::WrappedKeyDamaged`] when it is no wrapped root key of this version at all.
pub fn unwrap_root_key(seal: &SealKey, wrapped: &[u8]) -> Result<RootKey, SealError> {
    let Some((&VERSION, sealed)) = wrapped.split_first() else { return Err(SealError::WrappedKeyDamaged) };
    if wrapped.len() != WRAPPED_LEN {
        return Err(SealError::WrappedKeyDamaged);
    }
    let (nonce, msg) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealError::WrappedKeyDamaged)?;
    let payload = Payload { msg, aad: PURPOSE };
    let root = cipher(seal).decrypt(&Nonce::from(*nonce), payload).map_err(|_| SealError::WrongKey)?;
    let root = Zeroizing::new(root);
    RootKey::from_slice(&root).map_err(|_| SealError::WrappedKeyDamaged)
}

fn cipher(seal: &SealKey) -> Aes256Gcm {
    Aes256Gcm::new(seal.expose().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn keys(seed: u64) -> (SealKey, RootKey) {
        let entropy = SeededEntropy::new(seed);
        (SealKey::generate(&entropy).unwrap(), RootKey::generate(&entropy).unwrap())
    }

    #[test]
    fn it_comes_back_under_its_key_only() {
        let (seal, root) = keys(1);
        let wrapped = wrap_root_key(&seal, &root, &SeededEntropy::new(2)).unwrap();
        assert_eq!(wrapped.len(), WRAPPED_LEN);
        assert_eq!(unwrap_root_key(&seal, &wrapped).unwrap().expose(), root.expose());
        assert!(matches!(unwrap_root_key(&keys(3).0, &wrapped), Err(SealError::WrongKey)));
        let again = wrap_root_key(&seal, &root, &SeededEntropy::new(4)).unwrap();
        assert_ne!(wrapped, again);
    }

    #[test]
    fn every_changed_bit_and_every_truncation_is_noticed() {
        let (seal, root) = keys(1);
        let wrapped = wrap_root_key(&seal, &root, &SeededEntropy::new(2)).unwrap();
        for index in 0..wrapped.len() {
            for bit in 0..8 {
                let mut changed = wrapped.clone();
                changed[index] ^= 1 << bit;
                assert!(unwrap_root_key(&seal, &changed).is_err(), "byte {index}, bit {bit}");
            }
            assert!(matches!(unwrap_root_key(&seal, &wrapped[..index]), Err(SealError::WrappedKeyDamaged)));
        }
        let longer = [wrapped.as_slice(), &[0]].concat();
        assert!(matches!(unwrap_root_key(&seal, &longer), Err(SealError::WrappedKeyDamaged)));
    }

    #[test]
    fn a_ciphertext_for_another_purpose_does_not_pass() {
        let (seal, root) = keys(1);
        let nonce = [7; NONCE_LEN];
        let payload = Payload { msg: root.expose().as_slice(), aad: b"another purpose" };
        let ciphertext = cipher(&seal).encrypt(&Nonce::from(nonce), payload).unwrap();
        let wrapped = [&[VERSION], nonce.as_slice(), &ciphertext].concat();
        assert!(matches!(unwrap_root_key(&seal, &wrapped), Err(SealError::WrongKey)));
    }
}
