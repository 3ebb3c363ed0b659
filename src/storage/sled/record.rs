//! How a record lies in sled: whole, or in chunks.

use super::damaged;
use crate::storage::StorageError;

/// The most bytes that key and value of one of sled's records have, as long as the key alone is not longer.
pub(super) const RECORD: usize = 4096;
/// Bytes of a value in one chunk: a record without its key of 17 bytes.
pub(super) const CHUNK: usize = RECORD - 17;
/// Stands before the name of a record.
pub(super) const NAMED: u8 = b'r';
/// Stands before the number of a chunk.
pub(super) const CHUNKED: u8 = b'c';

/// Names the chunks of one value: the transaction that wrote it, and the value's place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunksId {
    pub(super) transaction: u64,
    pub(super) index: u32,
}

/// What is at the name of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored<'a> {
    /// A zero byte and the value.
    Whole(&'a [u8]),
    /// A one, and in big endian: the transaction (8 bytes), the index (4) and the number of chunks (4).
    Chunks { id: ChunksId, count: u32 },
}

impl<'a> Stored<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, StorageError> {
        match bytes.split_first() {
            Some((0, value)) => Ok(Self::Whole(value)),
            Some((1, rest)) => Self::parse_chunks(rest).ok_or_else(|| damaged("a record cannot be read")),
            Some(_) | None => Err(damaged("a record cannot be read")),
        }
    }

    fn parse_chunks(bytes: &[u8]) -> Option<Self> {
        let (transaction, rest) = bytes.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let id = ChunksId { transaction: u64::from_be_bytes(*transaction), index: u32::from_be_bytes(*index) };
        Some(Self::Chunks { id, count: u32::from_be_bytes(rest.try_into().ok()?) })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match *self {
            Self::Whole(value) => [&[0], value].concat(),
            Self::Chunks { id: ChunksId { transaction, index }, count } => {
                [&[1], transaction.to_be_bytes().as_slice(), &index.to_be_bytes(), &count.to_be_bytes()].concat()
            }
        }
    }
}

pub(super) fn named(key: &str) -> Vec<u8> {
    [&[NAMED], key.as_bytes()].concat()
}

pub(super) fn chunk_key(id: ChunksId, index: u32) -> Vec<u8> {
    let ChunksId { transaction, index: value } = id;
    [&[CHUNKED], transaction.to_be_bytes().as_slice(), &value.to_be_bytes(), &index.to_be_bytes()].concat()
}

/// What the fuzz target runs: what is at the name of a record is read as what is written of it.
#[doc(hidden)]
pub fn fuzz(input: &[u8]) {
    if let Ok(stored) = Stored::parse(input) {
        assert_eq!(stored.to_bytes(), input);
    }
}
