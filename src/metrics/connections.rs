//! What is counted of connections.

use std::sync::Arc;

use super::Metrics;
use super::counter::{Counter, Gauge};
use super::histogram::Histogram;
use super::interval::Epoch;
use super::page::{Labels, Page};

/// What is counted of connections.
#[derive(Debug)]
pub struct ConnectionMeters {
    open: Gauge,
    accepted: Counter,
    /// TLS handshakes that succeeded.
    pub handshakes: Histogram,
    /// TLS handshakes that failed or took too long.
    pub failed_handshakes: Counter,
}

/// A connection, which counts as open until this is dropped.
#[derive(Debug)]
pub struct OpenConnection(Arc<Metrics>);

impl ConnectionMeters {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self {
            open: Gauge::default(),
            accepted: Counter::new(epoch),
            handshakes: Histogram::of_durations(),
            failed_handshakes: Counter::new(epoch),
        }
    }

    pub(super) fn show(&self, page: &mut Page) {
        let Self { open, accepted, handshakes, failed_handshakes } = self;
        let count = i32::try_from(open.value()).unwrap_or(i32::MAX);
        page.gauge("arca.connections_open", "Connections that are open", Labels::new(), f64::from(count));
        page.counter("arca.connections_total", "Connections that were accepted", Labels::new(), accepted);
        let help = "Time of TLS handshakes that succeeded, in seconds";
        page.histogram("arca.tls_handshake_seconds", help, Labels::new(), handshakes);
        let help = "TLS handshakes that failed or took too long";
        page.counter("arca.tls_handshake_failures_total", help, Labels::new(), failed_handshakes);
    }
}

impl OpenConnection {
    /// Counts a connection that was accepted.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        metrics.connections.open.up();
        metrics.connections.accepted.add();
        Self(metrics)
    }

    /// What it is counted in.
    pub fn metrics(&self) -> &Metrics {
        &self.0
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections.open.down();
    }
}
