//! `Sink`: where the lines of a device go.

use std::fmt;
use std::fs::TryLockError;
use std::io;
use std::sync::Arc;

use crate::chain::{Link, Recovered};
use crate::time::Timestamp;

use super::spool::{Dropped, Room};
use super::state::Gauges;

/// Takes lines. It is called by one writer at a time, and blocks: an append is all or nothing, so it must not be an
/// `async fn` that a caller who hangs up can stop half-way.
pub trait Sink: Send + fmt::Debug + 'static {
    /// Writes whole lines, all of them or none. A failure leaves no part of them behind.
    fn append(&mut self, lines: &[u8]) -> Result<(), SinkError>;

    /// What the log ends in, for the chain to go on from.
    fn recover(&mut self) -> Result<Recovered, SinkError>;

    /// Opens the log anew under its name, for after a rotation; keeps to the old one if that fails.
    fn reopen(&mut self) -> Result<(), SinkError>;

    /// Whether an append waits for a device, so that it belongs on a thread that may wait.
    fn waits(&self) -> bool;

    /// Whether so many bytes of entries may be appended now. What the chain itself writes is appended in any case.
    fn room(&mut self, _bytes: usize) -> Room {
        Room::Free
    }

    /// Counts entries for which there was no room and which the operator wants dropped. `after` is the log's last line.
    fn drop_entries(&mut self, _entries: u64, _after: Link, _now: Timestamp) -> Result<(), SinkError> {
        Err(SinkError::Full)
    }

    /// Entries that were dropped, and of which no line of the log tells yet.
    fn dropped(&self) -> Option<Dropped> {
        None
    }

    /// A line of the log tells now of the entries that were dropped.
    fn dropped_is_told(&mut self) {}

    /// Ends it: the log has got its last line. May wait a moment for another machine.
    fn close(&mut self) {}

    /// How it stands, where its lines go to another machine.
    fn gauges(&self) -> Option<Arc<Gauges>> {
        None
    }

    /// Whether the log is ever put away by the sink itself.
    fn rotates(&self) -> bool {
        false
    }

    /// Whether the log so far is to be put away before `incoming` more bytes are written.
    fn is_rotation_due(&self, _now: Timestamp, _incoming: u64) -> bool {
        false
    }

    /// Puts the log so far away, and goes on in an empty one. The log was closed with a checkpoint. It goes on as it was
    /// if this fails, and is not due again at once.
    fn rotate(&mut self, _now: Timestamp) -> Result<(), SinkError> {
        Ok(())
    }

    /// What is to be done about logs that were put away.
    fn housekeeping(&self) -> Option<Housekeeping> {
        None
    }
}

/// Work for a thread that may wait. Nothing is lost if it is never done.
pub type Housekeeping = Box<dyn FnOnce() + Send>;

/// Why a sink did not take lines.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The device was disabled.
    #[error("the audit device is closed")]
    Closed,
    /// Another device or process writes to the file.
    #[error("the file or the spool is in use by another audit device; give each device one of its own")]
    InUse,
    /// Too much waits for the other side.
    #[error("the spool of the audit device is full; see why the other side takes no lines, or raise spool_max_bytes")]
    Full,
    /// The writer stopped before it could tell.
    #[error("it is not known whether the audit device took the line")]
    Lost,
    /// There is no folder for the spool.
    #[error("spool_path is required: the server has no folder of its own where lines could wait")]
    NoSpool,
    /// The operating system refused.
    #[error("the audit device does not take lines")]
    Io(#[from] io::Error),
    /// The chain cannot go on after what is there.
    #[error(transparent)]
    Chain(#[from] crate::chain::ChainError),
}

/// What came of locking a file that one device has to itself. Where the file system knows no locks, it goes without.
pub(super) fn locked(tried: Result<(), TryLockError>) -> Result<(), SinkError> {
    match tried {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(SinkError::InUse),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_not_locked_only_where_there_are_no_locks() {
        let failed = |kind| locked(Err(TryLockError::Error(io::Error::from(kind))));
        assert!(locked(Ok(())).is_ok() && failed(io::ErrorKind::Unsupported).is_ok());
        assert!(matches!(locked(Err(TryLockError::WouldBlock)), Err(SinkError::InUse)));
        assert!(matches!(failed(io::ErrorKind::ResourceBusy), Err(SinkError::Io(_))));
    }
}
