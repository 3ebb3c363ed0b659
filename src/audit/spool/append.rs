//! The writing end of a spool.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use crate::chain::{Link, Recovered, recover};
use crate::time::Timestamp;

use super::read::newlines;
use super::segment::{self, Segment};
use super::{Cursor, Dropped, FILE_MODE, Place, Spool, WhenFull, dropped, record};

/// Appends lines to a spool. There is one for each.
#[derive(Debug)]
pub struct SpoolWriter {
    spool: Arc<Spool>,
    /// The segment that is written to.
    active: Option<File>,
    /// Where it has to be cut, if a failed append could not be undone at once.
    cut_at: Option<u64>,
    /// What the spool ended in when it was opened, until someone has asked for it.
    recovered: Recovered,
    /// What was not taken, and of which no line tells yet.
    dropped: Option<Dropped>,
    /// Whether no entry has asked for room yet.
    fresh: bool,
}

/// Whether a spool has room for entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is room.
    Free,
    /// There is none, and they are refused.
    Refused,
    /// There is none, and they are counted.
    Dropped,
}

/// What a spool's folder was found to have.
pub(super) struct Found {
    pub(super) segments: VecDeque<Segment>,
    pub(super) end: Place,
    pub(super) recovered: Recovered,
    pub(super) dropped: Option<Dropped>,
}

impl SpoolWriter {
    pub(super) fn new(spool: Arc<Spool>, recovered: Recovered, dropped: Option<Dropped>) -> Self {
        Self { spool, active: None, cut_at: None, recovered, dropped, fresh: true }
    }

    /// What it writes to.
    pub fn spool(&self) -> &Arc<Spool> {
        &self.spool
    }

    /// Whether there is room for so many bytes of entries. For the first there is: it is the test of a device that is
    /// opened, and a full spool that could not be opened would never be emptied.
    pub fn room(&mut self, bytes: usize) -> Room {
        if std::mem::take(&mut self.fresh) {
            return Room::Free;
        }
        let backlog = self.spool.backlog();
        // What is larger than the whole spool goes through it alone, or it would never go.
        if backlog == 0 || backlog.saturating_add(bytes as u64) <= self.spool.bounds.max_bytes {
            return Room::Free;
        }
        match self.spool.bounds.full {
            WhenFull::Block => Room::Refused,
            WhenFull::Drop => Room::Dropped,
        }
    }

    /// Appends whole lines, all of them or none.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let (mut file, before) = self.segment(lines.len() as u64)?;
        let durable = self.spool.bounds.durable;
        let written = file.write_all(lines).and_then(|()| if durable { file.sync_data() } else { Ok(()) });
        if let Err(error) = written {
            self.cut_at = file.set_len(before).err().map(|_| before);
            self.active = Some(file);
            return Err(error);
        }
        self.active = Some(file);
        let end = {
            let mut extent = self.spool.extent();
            let length = lines.len() as u64;
            if let Some(segment) = extent.segments.back_mut() {
                segment.length += length;
            }
            extent.end.offset += length;
            extent.end.lines += newlines(lines);
            extent.end
        };
        self.spool.gauges.spooled(end);
        self.spool.appended.notify_one();
        Ok(())
    }

    /// What the spool ends in.
    pub fn recover(&mut self) -> io::Result<Recovered> {
        let last = self.spool.extent().segments.back().copied();
        match last {
            // Nothing has been written yet since it was opened, and it was looked at then.
            _ if self.active.is_none() => Ok(self.recovered.clone()),
            Some(segment) => recover(&mut File::open(segment.path(&self.spool.folder))?),
            None => Ok(Recovered::nothing()),
        }
    }

    /// Entries that were not taken, and of which no line tells yet.
    pub fn dropped(&self) -> Option<Dropped> {
        self.dropped
    }

    /// Counts entries that are not taken, behind the line `after`.
    pub fn drop_entries(&mut self, entries: u64, after: Link, now: Timestamp) -> io::Result<()> {
        let before = self.dropped.unwrap_or(Dropped { entries: 0, since: now, after: after.seq });
        let counted = Dropped { entries: before.entries.saturating_add(entries), ..before };
        dropped::store(&self.spool.folder, &counted, self.spool.bounds.durable)?;
        self.dropped = Some(counted);
        self.spool.gauges.dropped(entries);
        Ok(())
    }

    /// A line tells of them now.
    pub fn dropped_is_told(&mut self) {
        self.dropped = None;
        // Were it to stay, the next start would see that there is a later line.
        if let Err(error) = dropped::forget(&self.spool.folder) {
            tracing::warn!(%error, "the record of dropped entries cannot be removed from an audit spool");
        }
    }

    /// The segment for so many bytes, and its length.
    fn segment(&mut self, bytes: u64) -> io::Result<(File, u64)> {
        let (last, end) = {
            let extent = self.spool.extent();
            (extent.segments.back().copied(), extent.end)
        };
        let room = |segment: &Segment| {
            segment.length == 0 || segment.length.saturating_add(bytes) <= self.spool.bounds.segment_bytes()
        };
        // After a hole, a segment of its own: its name says where it is.
        let follows = |segment: &Segment| segment.end() == end.offset;
        if let Some(segment) = last.filter(|segment| room(segment) && follows(segment)) {
            let file = match self.active.take() {
                Some(file) => file,
                None => OpenOptions::new().append(true).open(segment.path(&self.spool.folder))?,
            };
            if let Some(length) = self.cut_at {
                file.set_len(length)?;
                self.cut_at = None;
            }
            return Ok((file, segment.length));
        }
        self.cut(last)?;
        let segment = Segment { start: end, length: 0 };
        let path = segment.path(&self.spool.folder);
        // One that is there is what a failed attempt left: no line of it counts.
        let file = OpenOptions::new().create(true).append(true).mode(FILE_MODE).open(path)?;
        file.set_len(0)?;
        if self.spool.bounds.durable {
            record::sync_folder(&self.spool.folder)?;
        }
        self.spool.extent().segments.push_back(segment);
        self.active = None;
        Ok((file, 0))
    }

    /// Undoes what a failed append left in the segment before.
    fn cut(&mut self, last: Option<Segment>) -> io::Result<()> {
        if let Some((length, segment)) = self.cut_at.zip(last) {
            OpenOptions::new().append(true).open(segment.path(&self.spool.folder))?.set_len(length)?;
            self.cut_at = None;
        }
        Ok(())
    }
}

impl super::Bounds {
    /// A segment is no longer than this, unless one write is.
    fn segment_bytes(&self) -> u64 {
        (self.max_bytes / 8).clamp(64 * 1024, 16 * 1024 * 1024)
    }
}

/// Looks at a folder: removes what no one was told is taken, and finds out where the chain ends.
pub(super) fn settle(folder: &Path, cursor: Option<&Cursor>) -> io::Result<Found> {
    let mut segments: VecDeque<Segment> = segment::list(folder)?.into();
    let mut recovered = Recovered::nothing();
    let mut end = Place::default();
    let mut torn = None;
    while let Some(mut last) = segments.pop_back() {
        let path = last.path(folder);
        let mut file = OpenOptions::new().read(true).append(true).open(&path)?;
        let found = recover(&mut file)?;
        if found.last == Link::GENESIS {
            torn = found.torn.clone().or(torn);
            fs::remove_file(&path)?;
            continue;
        }
        last.length = last.length.saturating_sub(behind(&found));
        file.set_len(last.length)?;
        if found.unterminated && found.torn.is_none() {
            // The line is whole but for its newline.
            file.write_all(b"\n")?;
            last.length += 1;
        }
        end = Place { offset: last.end(), lines: last.start.lines + count(&path)? };
        segments.push_back(last);
        torn = found.torn.clone().or(torn);
        recovered = found;
        break;
    }
    let is_whole = torn.is_none();
    recovered = Recovered { closed: recovered.closed && is_whole, torn, unterminated: false, ..recovered };
    if let Some(cursor) = cursor.filter(|cursor| cursor.place.offset > end.offset) {
        // A power failure took lines that the other side has: the chain goes on behind them.
        end = cursor.place;
        if let Some(link) = cursor.last.filter(|link| link.seq > recovered.last.seq) {
            recovered = Recovered { last: link, closed: false, ..recovered };
        }
    }
    let dropped = dropped::load(folder)?;
    if dropped.is_some_and(|dropped| recovered.last.seq > dropped.after) {
        dropped::forget(folder)?;
        return Ok(Found { segments, end, recovered, dropped: None });
    }
    Ok(Found { segments, end, recovered, dropped })
}

/// How many bytes stand behind the last whole line of a file.
fn behind(found: &Recovered) -> u64 {
    let torn = found.torn.as_ref().map_or(0, |torn| torn.bytes);
    // The last newline is not counted in what is torn, and belongs to the line where nothing is.
    torn + u64::from(found.torn.is_some() && !found.unterminated)
}

fn count(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut block = vec![0; 64 * 1024];
    let mut lines = 0;
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok(lines);
        }
        lines += newlines(block.get(..read).unwrap_or_default());
    }
}
