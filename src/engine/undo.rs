//! `Undo`: what takes back what a handler did, where its answer may not leave.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::error::Result;

type Work = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Takes back what a request did whose answer cannot be put on record: nobody was told, and nobody will be.
pub struct Undo(Box<dyn FnOnce() -> Work + Send + Sync>);

impl Undo {
    /// `work`, which is begun only where it is needed.
    pub fn new<W: Future<Output = Result<()>> + Send + 'static>(
        work: impl FnOnce() -> W + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(|| Box::pin(work())))
    }

    /// Does it. That it failed is for the log alone: the request has failed already.
    pub async fn run(self) {
        if let Err(error) = (self.0)().await {
            tracing::error!(%error, source = ?std::error::Error::source(&error), "what was done could not be taken back");
        }
    }
}

impl fmt::Debug for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undo").finish_non_exhaustive()
    }
}
