//! What is counted of traces.

use super::counter::Counter;
use super::interval::Epoch;
use super::page::{Labels, Page};

/// What is counted of traces.
#[derive(Debug)]
pub struct TraceMeters {
    /// Spans that the collector took.
    pub exported: Counter,
    /// Spans that were given up: the queue was full, or the collector did not take them.
    pub dropped: Counter,
}

impl TraceMeters {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self { exported: Counter::new(epoch), dropped: Counter::new(epoch) }
    }

    pub(super) fn show(&self, page: &mut Page) {
        let Self { exported, dropped } = self;
        page.counter("arca.trace_spans_exported_total", "Spans that the collector took", Labels::new(), exported);
        let help = "Spans that were given up because the queue was full or the collector did not take them";
        page.counter("arca.trace_spans_dropped_total", help, Labels::new(), dropped);
    }
}
