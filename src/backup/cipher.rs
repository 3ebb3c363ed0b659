//! The encryption of a backup: AES-256-GCM (NIST SP 800-38D) in the manner of STREAM (Hoang, Reyhanitabar, Rogaway and
//! Vizár, 2015). Each backup has a key of its own, so that the nonce can be the number of the chunk, and a flag that only
//! the last part has: nothing can be taken away, added, exchanged or cut off.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::{digest, hkdf};
use zeroize::Zeroizing;

use super::BackupError;
use crate::secret::RootKey;

/// What the key of a backup is derived from beside the root key. No secret; random for each backup.
pub type Salt = [u8; 32];

/// What a derived key is for.
const PURPOSE: &[u8] = b"arca backup, version 1: records";
/// The length of a tag in bytes.
pub(super) const TAG_LEN: usize = 16;

/// The key of one backup. Wiped on drop.
pub struct BackupKey(LessSafeKey);

impl BackupKey {
    /// The key that `root` and `salt` give: HKDF-SHA-256 (RFC 5869).
    pub fn derive(root: &RootKey, salt: &Salt) -> Result<Self, BackupError> {
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(root.expose());
        let mut key = Zeroizing::new([0; 32]);
        derived
            .expand(&[PURPOSE], hkdf::HKDF_SHA256)
            .and_then(|output| output.fill(&mut *key))
            .map_err(|_| BackupError::Encryption)?;
        let key = UnboundKey::new(&AES_256_GCM, &*key).map_err(|_| BackupError::Encryption)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Encrypts a part in place, and adds the tag.
    pub(super) fn seal(&self, place: Place, header: &HeaderDigest, part: &mut Vec<u8>) -> Result<(), BackupError> {
        let sealed = self.0.seal_in_place_append_tag(place.nonce(), Aad::from(&header.0), part);
        sealed.map_err(|_| BackupError::Encryption)
    }

    /// Decrypts in place what [`BackupKey::seal`] made; nothing if it is not that.
    pub(super) fn open(&self, place: Place, header: &HeaderDigest, mut part: Vec<u8>) -> Option<Vec<u8>> {
        let length = self.0.open_in_place(place.nonce(), Aad::from(&header.0), &mut part).ok()?.len();
        part.truncate(length);
        Some(part)
    }
}

impl fmt::Debug for BackupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupKey")
    }
}

/// Where a part stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// The chunk of this number.
    Chunk(u64),
    /// The end, behind so many chunks.
    End(u64),
}

impl Place {
    /// Three zeros, the number in big endian, and whether this is the end.
    fn nonce(self) -> Nonce {
        let (number, flag) = match self {
            Self::Chunk(number) => (number, 0),
            Self::End(number) => (number, 1),
        };
        let mut nonce = [0; 12];
        let bytes = [[0; 3].as_slice(), &number.to_be_bytes(), &[flag]].concat();
        nonce.copy_from_slice(&bytes);
        Nonce::assume_unique_for_key(nonce)
    }
}

/// SHA-256 of `meta.json`, which every part is bound to.
pub(super) struct HeaderDigest([u8; 32]);

impl HeaderDigest {
    pub(super) fn of(meta: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, meta).as_ref());
        Self(bytes)
    }
}
