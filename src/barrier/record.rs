//! `Record`: a type with a place on disk.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::secret::SecretBytes;

/// A type with a place on disk. Its version is stored with it; `upgrade` reads the older ones.
///
/// Stored as the version (two bytes, big endian) and the type's JSON.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// The version that is written.
    const VERSION: u16 = 1;

    /// Reads the JSON of an older version.
    fn upgrade(_from: u16, _json: &[u8]) -> Result<Self> {
        Err(Error::corrupt("a stored record is of an unknown version; is the server older than its data?"))
    }
}

/// The plaintext of `record`.
pub(super) fn encode<R: Record>(record: &R) -> Result<SecretBytes> {
    let mut bytes = SecretBytes::new(Vec::with_capacity(512));
    bytes.extend_from_slice(&R::VERSION.to_be_bytes());
    serde_json::to_writer(&mut *bytes, record)
        .map_err(|error| Error::internal("a record cannot be written").with_source(error))?;
    Ok(bytes)
}

/// The record in `plaintext`.
pub(super) fn decode<R: Record>(plaintext: &[u8]) -> Result<R> {
    let (version, json) =
        plaintext.split_first_chunk().ok_or_else(|| Error::corrupt("a stored record is cut short"))?;
    match u16::from_be_bytes(*version) {
        version if version == R::VERSION => {
            // The source would repeat a part of the record, which is secret.
            serde_json::from_slice(json).map_err(|_| Error::corrupt("a stored record has an unknown form"))
        }
        older => R::upgrade(older, json),
    }
}
