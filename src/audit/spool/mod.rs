//! The spool of a device whose lines go to another machine: they are kept on disk until the other side has them.
//!
//! A request appends its lines here and waits for nothing else, so a collector that is away for a day slows nobody. The
//! shipper reads behind it, from a durable cursor on. A spool is a folder (mode 0700, files 0600):
//!
//! | file | what it is |
//! |---|---|
//! | `OFFSET-LINES.log` | a segment: lines as they are. Its name says how many bytes and lines the spool had taken before it |
//! | `cursor` | how far the other side has them, and the last line that it has |
//! | `dropped` | how many entries were not taken because the spool was full, until the log itself says so |
//! | `refused.log` | lines that the other side will never take, as they are |
//! | `lock` | held by the one process that writes here |
//!
//! A place in the spool is the number of bytes before it since the spool began, whatever was removed since.

mod append;
mod cursor;
mod dropped;
mod read;
mod record;
mod refused;
mod segment;

pub use append::{Room, SpoolWriter};
pub use cursor::{Cursor, Place};
pub use dropped::Dropped;
pub use read::{Batch, lines};

use std::collections::VecDeque;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::audit::sink::{SinkError, locked};
use crate::audit::state::Gauges;

use segment::Segment;

/// The bounds of a spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// So many bytes may wait for the other side. What the chain itself writes may go beyond.
    pub max_bytes: u64,
    /// What happens to entries beyond.
    pub full: WhenFull,
    /// Whether a line counts as taken when the disk has it, and not already when the operating system has it.
    pub durable: bool,
}

/// What happens to entries for which a spool has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// `block`: they are refused, as by a device that cannot write.
    Block,
    /// `drop`: they are not recorded, and counted; the log says how many once there is room.
    Drop,
}

/// A spool, as its writer and its shipper share it.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    bounds: Bounds,
    extent: Mutex<Extent>,
    /// The offset up to which the other side has the lines.
    settled: AtomicU64,
    /// Told whenever there are new lines.
    pub(super) appended: Notify,
    gauges: Arc<Gauges>,
    /// Held as long as anyone uses the folder.
    _lock: File,
}

/// What is in the folder.
#[derive(Debug, Default)]
struct Extent {
    /// Oldest first; the last one is written to.
    segments: VecDeque<Segment>,
    /// Behind the last line.
    end: Place,
}

impl Spool {
    /// Opens the spool in `folder`, which is made if it is not there (mode 0700). Gives its writer, and how far the other
    /// side has come. A line that a crash cut short is removed: whoever wrote it was never told that it was taken.
    pub fn open(folder: &Path, bounds: Bounds, gauges: Arc<Gauges>) -> Result<(SpoolWriter, Cursor), SinkError> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let lock = lock(folder)?;
        let cursor = cursor::load(folder)?;
        let found = append::settle(folder, cursor.as_ref())?;
        let start = found.segments.front().map_or(found.end, |oldest| oldest.start);
        // Without a cursor, or with one before all that is left, the other side gets everything again.
        let cursor = cursor.filter(|cursor| cursor.place.offset >= start.offset).unwrap_or(Cursor::at(start));
        gauges.spooled(found.end);
        gauges.delivered(cursor.place);
        let spool = Self {
            folder: folder.to_owned(),
            bounds,
            extent: Mutex::new(Extent { segments: found.segments, end: found.end }),
            settled: AtomicU64::new(cursor.place.offset),
            appended: Notify::new(),
            gauges,
            _lock: lock,
        };
        let writer = SpoolWriter::new(Arc::new(spool), found.recovered, found.dropped);
        Ok((writer, cursor))
    }

    /// Puts on disk that the other side has everything up to `cursor`, and removes the segments before it.
    pub fn settle(&self, cursor: &Cursor) -> io::Result<()> {
        let stored = cursor::store(&self.folder, cursor, self.bounds.durable);
        self.settled.store(cursor.place.offset, Ordering::SeqCst);
        self.gauges.delivered(cursor.place);
        let finished: Vec<Segment> = {
            let mut extent = self.extent();
            let mut finished = Vec::new();
            while extent.segments.len() > 1
                && extent.segments.front().is_some_and(|oldest| oldest.end() <= cursor.place.offset)
            {
                finished.extend(extent.segments.pop_front());
            }
            finished
        };
        for segment in finished {
            std::fs::remove_file(segment.path(&self.folder))?;
        }
        // On a full disk there may be room for it only now. Nothing was lost by that: a spool without what the other side
        // has begins behind it.
        stored.or_else(|_| cursor::store(&self.folder, cursor, self.bounds.durable))
    }

    /// Keeps a line that the other side will never take. Fails when there are too many of them already.
    pub fn refuse(&self, line: &[u8]) -> io::Result<()> {
        refused::keep(&self.folder, line, self.bounds.max_bytes)?;
        self.gauges.refused();
        Ok(())
    }

    /// What is known of the device.
    pub fn gauges(&self) -> &Arc<Gauges> {
        &self.gauges
    }

    fn extent(&self) -> MutexGuard<'_, Extent> {
        self.extent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes wait for the other side.
    fn backlog(&self) -> u64 {
        self.extent().end.offset.saturating_sub(self.settled.load(Ordering::SeqCst))
    }
}

fn lock(folder: &Path) -> Result<File, SinkError> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(FILE_MODE).open(folder.join("lock"))?;
    locked(file.try_lock())?;
    Ok(file)
}

/// Only the server reads its spool.
const FILE_MODE: u32 = 0o600;

#[cfg(test)]
mod tests;
