//! `Sink`: where the lines of a device go.

use std::fmt;
use std::io;

use crate::chain::Recovered;
use crate::time::Timestamp;

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
    #[error("the file is in use by another audit device; give each device a file of its own")]
    InUse,
    /// The writer stopped before it could tell.
    #[error("it is not known whether the audit device took the line")]
    Lost,
    /// The operating system refused.
    #[error("the audit device does not take lines")]
    Io(#[from] io::Error),
    /// The chain cannot go on after what is there.
    #[error(transparent)]
    Chain(#[from] crate::chain::ChainError),
}
