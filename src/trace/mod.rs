//! Traces: what one request did and how long each step took, for a collector of OpenTelemetry.
//!
//! The types of a span are those of `opentelemetry-proto`, encoded by prost, and go to the collector as OTLP over HTTP.
//! The SDK beside them is left out: it takes the time and its options from the process (`OTEL_*` in the environment can
//! add headers and turn sampling around), starts a thread, and does not tell how many spans it dropped.
//!
//! A request never waits for a trace: it is put into a queue that has an end, and is dropped and counted where that is
//! full. No token, secret, query or path below a mount is in a span: [`Facts`] has no place for one.

mod context;
mod export;
mod span;

#[doc(hidden)]
pub use context::fuzz;
pub use context::{SpanId, TraceContext, TraceId};
pub use export::{Exporter, Settings};
pub use span::{Facts, Trace};

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use crate::entropy::Entropy;
use crate::metrics::Metrics;
use crate::time::Clock;

use context::Sampling;

/// Traces that may wait to be exported.
const QUEUE: usize = 1024;

/// Begins traces. A clone is the same tracer.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Tracing>>);

struct Tracing {
    sampling: Sampling,
    queue: mpsc::Sender<Trace>,
    entropy: Arc<dyn Entropy>,
    metrics: Arc<Metrics>,
}

impl Tracer {
    /// A tracer that begins none.
    pub fn off() -> Self {
        Self(None)
    }

    /// A tracer, and what brings its traces to the collector; that is for the caller to run.
    pub fn new(settings: Settings, entropy: Arc<dyn Entropy>, metrics: Arc<Metrics>) -> (Self, Exporter) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let sampling = Sampling::new(settings.sample_ratio);
        let exporter = Exporter::new(settings, waiting, metrics.clone());
        (Self(Some(Arc::new(Tracing { sampling, queue, entropy, metrics }))), exporter)
    }

    /// Begins the trace of a request that came with `traceparent` (empty where it did not), if it is one of those that are
    /// looked at. `clock` says when that is, as the collector reads it.
    pub fn begin(&self, traceparent: &str, clock: &dyn Clock) -> Option<Trace> {
        let Tracing { sampling, entropy, .. } = self.0.as_deref()?;
        let context = TraceContext::of_request(traceparent, *sampling, &**entropy)?;
        Some(Trace::new(context, entropy.clone(), clock.now(), Instant::now()))
    }

    /// Gives a trace to the exporter, or gives it up.
    pub fn end(&self, trace: Trace) {
        let Some(tracing) = self.0.as_deref() else { return };
        if let Err(refused) = tracing.queue.try_send(trace) {
            let (mpsc::error::TrySendError::Full(trace) | mpsc::error::TrySendError::Closed(trace)) = refused;
            span::give_up(trace.spans(), &tracing.metrics);
        }
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tracer").field(&self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests;
