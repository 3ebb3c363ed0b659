//! The file of a database that is open, opened a second time for reading.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redb::{Builder, ReadableDatabase, StorageBackend};
use rustix::fs::{Advice, fadvise};

use super::{FILE, Opened, fault};
use crate::storage::StorageError;
use crate::storage::disk::Again;

/// What the second one keeps of the file in memory, in bytes: it reads everything once.
const CACHE_BYTES: usize = 8 << 20;
/// The unit in which what is written is kept, in bytes.
const BLOCK: u64 = 4096;

/// Opens what the newest commit of `first` left in `folder`, as after a crash. A reader of `first` keeps the pages of that commit
/// from being used again.
pub(super) fn open(first: &redb::Database, folder: &Path) -> Result<Again<Opened>, StorageError> {
    let pin = first.begin_read().map_err(fault)?;
    let file = File::open(folder.join(FILE)).map_err(StorageError::from_io)?;
    // Everything was synced. What the system has of the file in memory would hide what became of the disk.
    fadvise(&file, 0, None, Advice::DontNeed).map_err(|error| StorageError::from_io(error.into()))?;
    let length = file.metadata().map_err(StorageError::from_io)?.len();
    let ended = Arc::new(AtomicBool::new(false));
    let written = Mutex::new(Written { length, blocks: BTreeMap::new() });
    let second = Beside { file, ended: Arc::clone(&ended), written };
    let database = Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(second).map_err(fault)?;
    Ok(Again::new(Opened::new(database), ended, pin))
}

/// The file as it was when it was opened. What redb writes, in opening and in closing, stays in memory.
#[derive(Debug)]
struct Beside {
    file: File,
    /// Nothing is read or written any more: the pages that closing would look at may be others by now.
    ended: Arc<AtomicBool>,
    written: Mutex<Written>,
}

/// What was written, by the number of its block, over a file of this length in bytes.
#[derive(Debug)]
struct Written {
    length: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Beside {
    fn with<T>(&self, f: impl FnOnce(&mut Written) -> io::Result<T>) -> io::Result<T> {
        if self.ended.load(Ordering::SeqCst) {
            return Err(io::Error::other("this reading has ended"));
        }
        f(&mut self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads from the file; zeros behind its end.
    fn read_file(&self, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
        while !out.is_empty() {
            let read = self.file.read_at(out, offset)?;
            if read == 0 {
                out.fill(0);
                return Ok(());
            }
            offset += read as u64;
            out = out.get_mut(read..).unwrap_or_default();
        }
        Ok(())
    }

    fn block(&self, number: u64) -> io::Result<Vec<u8>> {
        let mut block = vec![0; usize::try_from(BLOCK).unwrap_or_default()];
        self.read_file(number * BLOCK, &mut block)?;
        Ok(block)
    }
}

/// The blocks that `length` bytes at `offset` lie in.
fn blocks(offset: u64, length: usize) -> std::ops::Range<u64> {
    offset / BLOCK..(offset + length as u64).div_ceil(BLOCK)
}

/// The part of `bytes`, which begin at `offset`, that lies in a block, and the part of that block.
fn shared(number: u64, offset: u64, length: usize) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let (begin, end) = (offset.max(number * BLOCK), (offset + length as u64).min((number + 1) * BLOCK));
    let within = |start: u64| {
        let at = |place: u64| usize::try_from(place - start).unwrap_or_default();
        at(begin)..at(end)
    };
    (within(offset), within(number * BLOCK))
}

impl StorageBackend for Beside {
    fn len(&self) -> io::Result<u64> {
        self.with(|written| Ok(written.length))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|written| {
            self.read_file(offset, out)?;
            for (number, block) in written.blocks.range(blocks(offset, out.len())) {
                let (of_out, of_block) = shared(*number, offset, out.len());
                if let (Some(out), Some(block)) = (out.get_mut(of_out), block.get(of_block)) {
                    out.copy_from_slice(block);
                }
            }
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|written| {
            written.length = len;
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|_| Ok(()))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.with(|written| {
            for number in blocks(offset, data.len()) {
                let mut block = match written.blocks.remove(&number) {
                    Some(block) => block,
                    None => self.block(number)?,
                };
                let (of_data, of_block) = shared(number, offset, data.len());
                if let (Some(block), Some(data)) = (block.get_mut(of_block), data.get(of_data)) {
                    block.copy_from_slice(data);
                }
                written.blocks.insert(number, block);
            }
            Ok(())
        })
    }
}
