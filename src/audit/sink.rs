//! `Sink`: where the lines of a device go.

use std::fmt;
use std::io;

use crate::chain::Recovered;

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
}

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
