//! Lines into a stream that acknowledges nothing.

use std::time::Duration;

use async_trait::async_trait;

use crate::audit::shipper::{Delivery, DeliveryError, Receipt};
use crate::outbound::{Peer, Stream};

use super::TlsFiles;

/// How lines are told from each other in a stream.
pub(in crate::audit::sinks) trait Framing: Send + Sync {
    /// Appends a line (without its newline) as the other side is to read it.
    fn frame(&self, line: &[u8], out: &mut Vec<u8>);
}

/// Lines into a stream. The operating system says only that the other machine has the bytes, and that late: whoever ships
/// lines this way sends them again when the connection ends early.
pub(in crate::audit::sinks) struct StreamDelivery<F> {
    pub(in crate::audit::sinks) peer: Peer,
    pub(in crate::audit::sinks) tls: TlsFiles,
    /// How long connecting, or writing a batch, may take.
    pub(in crate::audit::sinks) write_timeout: Duration,
    pub(in crate::audit::sinks) framing: F,
    pub(in crate::audit::sinks) stream: Option<Stream>,
}

impl<F: Framing> StreamDelivery<F> {
    async fn connect(&self) -> Result<Stream, DeliveryError> {
        let material = self.tls.read().await?;
        let connecting = Stream::connect(&self.peer, material.trust(), material.identity());
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
        Ok(connected.map_err(|_| DeliveryError::new("no connection could be made in time"))??)
    }
}

#[async_trait]
impl<F: Framing> Delivery for StreamDelivery<F> {
    fn is_acknowledged(&self) -> bool {
        false
    }

    fn batch_bytes(&self) -> usize {
        BATCH
    }

    async fn send(&mut self, lines: &[u8]) -> Result<Receipt, DeliveryError> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        let mut framed = Vec::with_capacity(lines.len() * 2);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            self.framing.frame(line.strip_suffix(b"\n").unwrap_or(line), &mut framed);
        }
        let written = tokio::time::timeout(self.write_timeout, stream.write(&framed)).await;
        // A stream of which only a part was written is dropped.
        written
            .map_err(|_| DeliveryError::new("the other side did not take the lines within write_timeout"))?
            .map_err(|error| DeliveryError::new("the connection was closed").with_source(error))?;
        self.stream = Some(stream);
        Ok(Receipt::default())
    }

    async fn lost(&mut self) {
        match &mut self.stream {
            Some(stream) => stream.closed().await,
            None => std::future::pending().await,
        }
        self.stream = None;
    }

    async fn close(&mut self) -> bool {
        match self.stream.take() {
            Some(stream) => stream.finish(LAST_WORDS).await,
            None => false,
        }
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the other side has to read what was sent last.
const LAST_WORDS: Duration = Duration::from_secs(1);
const BATCH: usize = 256 * 1024;
