//! `Delivery`: how lines get to another machine.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;

use crate::outbound::OutboundError;

/// Sends lines to another machine. It connects by itself, when it is first asked and whenever that is needed again.
#[async_trait]
pub(crate) trait Delivery: Send + Sync {
    /// Whether the other side says what it has taken. Where it does not, what was sent a short while ago is sent again
    /// after a failure.
    fn is_acknowledged(&self) -> bool;

    /// The largest batch in bytes, unless one line is larger.
    fn batch_bytes(&self) -> usize;

    /// How long new lines wait for others that go with them.
    fn linger(&self) -> Duration {
        Duration::ZERO
    }

    /// Sends whole lines.
    async fn send(&mut self, lines: &[u8]) -> Result<Receipt, DeliveryError>;

    /// Returns when the connection is found to be gone; never where there is none.
    async fn lost(&mut self) {
        std::future::pending::<()>().await;
    }

    /// Ends the connection, which the next line opens anew. Whether the other side is known to have read all.
    async fn close(&mut self) -> bool;
}

/// What became of lines that were sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// Lines that the other side did not take this time, each with its newline.
    pub(crate) again: Vec<u8>,
    /// Lines that it will never take, and why.
    pub(crate) refused: Vec<Refusal>,
}

/// A line that the other side will never take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The line, without its newline.
    pub(crate) line: Vec<u8>,
    /// Why it is refused.
    pub(crate) reason: String,
}

/// Why lines could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct DeliveryError {
    what: Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// When the other side wants to be asked again.
    pub(crate) retry_after: Option<Duration>,
    /// Whether someone has to do something about it, rather than wait.
    pub(crate) is_mistake: bool,
}

impl DeliveryError {
    pub(crate) fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Self { what: what.into(), source: None, retry_after: None, is_mistake: false }
    }

    /// What caused it.
    pub(crate) fn with_source(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Box::new(source)), ..self }
    }

    /// When the other side wants to be asked again.
    pub(crate) fn retry_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// Someone has to do something about it.
    pub(crate) fn mistake(self) -> Self {
        Self { is_mistake: true, ..self }
    }
}

impl From<OutboundError> for DeliveryError {
    fn from(error: OutboundError) -> Self {
        Self::new(error.to_string())
    }
}
