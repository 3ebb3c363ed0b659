//! The files that a log has put away: how they are named, and that they are compressed and deleted.
//!
//! Everything here can be interrupted at any moment and done again: a file is complete before it gets its name, and what it
//! replaces is removed last.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::chain::{Recovered, last_of, recover};
use crate::time::Timestamp;

use super::Rotation;
use super::stamp::Stamp;

/// The files that were put away from under one name.
#[derive(Debug)]
pub(super) struct Archive {
    /// The log's own file.
    path: PathBuf,
    rotation: Rotation,
    /// Held while the files are looked after.
    busy: Mutex<()>,
}

/// A file that was put away, as it is or compressed. For a moment there may be both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Piece {
    stamp: Stamp,
    compressed: bool,
}

impl Archive {
    pub(super) fn new(path: &Path, rotation: Rotation) -> Self {
        Self { path: path.to_owned(), rotation, busy: Mutex::default() }
    }

    /// The name to put a file away under: the time, but always behind the last one, should the clock have gone back.
    pub(super) fn next_name(&self, now: Timestamp) -> io::Result<PathBuf> {
        let last = self.pieces()?.into_iter().map(|piece| piece.stamp).next_back();
        let stamp = last.map_or(Stamp::of(now), |last| Stamp::of(now).max(last.next()));
        Ok(self.name(&Piece { stamp, compressed: false }))
    }

    /// What the newest file ends in, for an empty log to go on after it.
    pub(super) fn end(&self) -> io::Result<Recovered> {
        let Some(newest) = self.pieces()?.pop() else { return Ok(Recovered::nothing()) };
        let found = self.end_of(&newest)?;
        // What is torn there stays there: the verification of that file tells.
        let closed = found.closed && found.torn.is_none();
        Ok(Recovered { torn: None, unterminated: false, closed, archived: true, ..found })
    }

    /// Compresses what is to be compressed and deletes what is not to be kept. What fails is logged and done the next time.
    pub(super) fn keep_house(&self) {
        let _busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let compressed = if self.rotation.compress { self.compress_all() } else { Ok(()) };
        if let Err(error) = compressed.and_then(|()| self.delete_old()) {
            let source = &error as &dyn std::error::Error;
            tracing::error!(
                error = source,
                "audit logs that were put away could not be looked after; check their folder"
            );
        }
    }

    fn compress_all(&self) -> io::Result<()> {
        for piece in self.pieces()?.iter().filter(|piece| !piece.compressed) {
            self.compress(piece)?;
        }
        Ok(())
    }

    /// Compresses a file: the result is complete on the disk before the file is removed.
    fn compress(&self, piece: &Piece) -> io::Result<()> {
        let plain = self.name(piece);
        let packed = self.name(&Piece { compressed: true, ..piece.clone() });
        let mut file = File::open(&plain)?;
        // A file that someone still writes to is locked.
        if file.try_lock().is_err() || !is_closed(&recover(&mut file)?) {
            return Ok(());
        }
        if !packed.exists() {
            let temporary = self.temporary(piece);
            pack(&plain, &temporary)?;
            fs::rename(&temporary, &packed)?;
            sync_folder(&packed)?;
        }
        let whole = last_of(BufReader::with_capacity(BUFFER, File::open(&packed)?))?;
        if !is_closed(&whole) || whole.last != recover(&mut file)?.last {
            tracing::error!("a compressed audit log is not the same as the file that it replaces; both are kept");
            return Ok(());
        }
        fs::remove_file(&plain)
    }

    /// Deletes the oldest files, but none that does not end in a checkpoint.
    fn delete_old(&self) -> io::Result<()> {
        let Some(keep) = self.rotation.keep else { return Ok(()) };
        let pieces = self.pieces()?;
        let mut stamps: Vec<&Stamp> = pieces.iter().map(|piece| &piece.stamp).collect();
        stamps.dedup();
        let Some(oldest_kept) = stamps.len().checked_sub(keep.get()).and_then(|index| stamps.get(index)) else {
            return Ok(());
        };
        for piece in pieces.iter().filter(|piece| piece.stamp < **oldest_kept) {
            if is_closed(&self.end_of(piece)?) {
                fs::remove_file(self.name(piece))?;
            } else {
                tracing::warn!("an old audit log does not end in a checkpoint, and is not deleted; verify it");
            }
        }
        Ok(())
    }

    fn end_of(&self, piece: &Piece) -> io::Result<Recovered> {
        let mut file = File::open(self.name(piece))?;
        if piece.compressed { last_of(BufReader::with_capacity(BUFFER, file)) } else { recover(&mut file) }
    }

    /// The files, oldest first.
    fn pieces(&self) -> io::Result<Vec<Piece>> {
        let entries = match fs::read_dir(self.folder()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut pieces = Vec::new();
        for entry in entries {
            pieces.extend(entry?.file_name().to_str().and_then(|name| self.piece(name)));
        }
        pieces.sort();
        Ok(pieces)
    }

    /// The piece that a file is by its name; nothing for other files.
    fn piece(&self, name: &str) -> Option<Piece> {
        let rest = name.strip_prefix(self.path.file_name()?.to_str()?)?.strip_prefix('.')?;
        let (stamp, compressed) = match rest.strip_suffix(".gz") {
            Some(stamp) => (stamp, true),
            None => (rest, false),
        };
        Some(Piece { stamp: Stamp::parse(stamp)?, compressed })
    }

    fn name(&self, piece: &Piece) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{}{}", piece.stamp, if piece.compressed { ".gz" } else { "" }));
        name.into()
    }

    /// Where a file is compressed to before it gets its name; no pattern for the log's files finds it.
    fn temporary(&self, piece: &Piece) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.folder().join(format!(".{name}.{}.gz.part", piece.stamp))
    }

    fn folder(&self) -> &Path {
        folder(&self.path)
    }
}

/// Has the disk keep a folder's names.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn is_closed(found: &Recovered) -> bool {
    found.closed && found.torn.is_none() && !found.unterminated && found.last.seq > 0
}

fn pack(plain: &Path, packed: &Path) -> io::Result<()> {
    let mut source = File::open(plain)?;
    let mode = source.metadata()?.permissions().mode() & 0o666;
    let target = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(packed)?;
    let mut encoder = GzEncoder::new(target, Compression::default());
    io::copy(&mut source, &mut encoder)?;
    let mut target = encoder.finish()?;
    target.flush()?;
    target.sync_all()
}

const BUFFER: usize = 256 * 1024;

#[cfg(test)]
mod tests;
