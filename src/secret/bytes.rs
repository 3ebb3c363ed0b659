//! Bytes that are wiped when they are dropped.

use std::fmt;
use std::ops::{Deref, DerefMut};

use zeroize::optimization_barrier;

/// Bytes that are wiped when they are dropped, their spare room too, and whose content `Debug` does not show.
///
/// As `Zeroizing<Vec<u8>>` of the crate zeroize, but for the speed: that one writes byte by byte, which for values of some
/// kilobytes costs more than decrypting them.
#[derive(Default)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes `bytes` into care.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Adds `more` at the end. Where it does not fit all is copied into a larger buffer and the old one wiped: a plain
    /// `extend_from_slice` would leave it behind.
    pub fn append(&mut self, more: &[u8]) {
        let length = self.0.len() + more.len();
        if length > self.0.capacity() {
            let mut larger = Self(Vec::with_capacity(length * 2));
            larger.0.extend_from_slice(&self.0);
            *self = larger;
        }
        self.0.extend_from_slice(more);
    }
}

/// Overwrites all of the buffer of `bytes`, whose length is not kept.
pub(super) fn wipe(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.resize(bytes.capacity(), 0);
    // As far as the compiler knows, someone reads the zeros: it must write them.
    optimization_barrier(bytes.as_slice());
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl Deref for SecretBytes {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for SecretBytes {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl AsRef<[u8]> for SecretBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_the_buffer_is_wiped() {
        let mut bytes = b"hunter2 hunter2".to_vec();
        bytes.reserve(100);
        bytes.truncate(7);
        let (capacity, start) = (bytes.capacity(), bytes.as_ptr());
        wipe(&mut bytes);
        assert_eq!((bytes.as_ptr(), bytes.capacity()), (start, capacity), "in its place");
        assert_eq!(bytes, vec![0; capacity]);
    }

    #[test]
    fn what_does_not_fit_moves() {
        let mut bytes = SecretBytes::default();
        for piece in ["a", "bc", "", "defghijklmnopqrstuvwxyz"] {
            bytes.append(piece.as_bytes());
        }
        assert_eq!(*bytes, b"abcdefghijklmnopqrstuvwxyz");
        assert_eq!(format!("{bytes:?}"), "SecretBytes");
    }
}
