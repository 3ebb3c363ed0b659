//! How far a long command is: one line on a terminal that is written over again, and nothing anywhere else.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// The time from one picture to the next.
const PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Progress {
    doing: &'static str,
    watched: bool,
    shown: Option<Instant>,
}

impl Progress {
    pub(super) fn new(doing: &'static str) -> Self {
        Self { doing, watched: io::stderr().is_terminal(), shown: None }
    }

    /// So many records and bytes are done.
    pub(super) fn show(&mut self, records: u64, bytes: u64) {
        if !self.watched || self.shown.is_some_and(|shown| shown.elapsed() < PAUSE) {
            return;
        }
        self.shown = Some(Instant::now());
        // Who reads the outcome does not miss the way to it.
        let _ = write!(io::stderr(), "\r{}: {records} records, {} MiB\x1b[K", self.doing, bytes >> 20);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
