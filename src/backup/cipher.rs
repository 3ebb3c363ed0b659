//! The encryption of a backup: AES-256-GCM (NIST SP 800-38D) in the manner of STREAM (Hoang, Reyhanitabar, Rogaway and
//! Vizár, 2015). Each backup has a key of its own, so that the nonce can be the number of the chunk, and a flag that only
//! the last part has: nothing can be taken away, added, exchanged or cut off.

use std::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
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
pub struct BackupKey(Box<Aes256Gcm>);

impl BackupKey {
    /// The key that `root` and `salt` give: HKDF-SHA-256 (RFC 5869).
    pub fn derive(root: &RootKey, salt: &Salt) -> Result<Self, BackupError> {
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(root.expose());
        let mut key = Zeroizing::new([0; 32]);
        derived
            .expand(&[PURPOSE], hkdf::HKDF_SHA256)
            .and_then(|output| output.fill(&mut *key))
            .map_err(|_| BackupError::Encryption)?;
        Ok(Self(Box::new(Aes256Gcm::new((&*key).into()))))
    }

    /// Encrypts the part of this number in place, and adds the tag.
    pub(super) fn seal(&self, place: Place, header: &HeaderDigest, part: &mut Vec<u8>) -> Result<(), BackupError> {
        let tag = self
            .0
            .encrypt_inout_detached(&place.nonce(), &header.0, part.as_mut_slice().into())
            .map_err(|_| BackupError::Encryption)?;
        part.extend_from_slice(&tag);
        Ok(())
    }

    /// Decrypts in place what [`BackupKey::seal`] made; nothing if it is not that.
    pub(super) fn open(&self, place: Place, header: &HeaderDigest, mut part: Vec<u8>) -> Option<Vec<u8>> {
        let end = part.len().checked_sub(TAG_LEN)?;
        let tag: [u8; TAG_LEN] = part.get(end..)?.try_into().ok()?;
        part.truncate(end);
        let opened = self.0.decrypt_inout_detached(
            &place.nonce(),
            &header.0,
            part.as_mut_slice().into(),
            &Tag::from(tag),
        );
        opened.is_ok().then_some(part)
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
    fn nonce(self) -> Nonce<aes_gcm::aead::consts::U12> {
        let (number, flag) = match self {
            Self::Chunk(number) => (number, 0),
            Self::End(number) => (number, 1),
        };
        let mut nonce = [0; 12];
        let bytes = [[0; 3].as_slice(), &number.to_be_bytes(), &[flag]].concat();
        nonce.copy_from_slice(&bytes);
        Nonce::from(nonce)
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
