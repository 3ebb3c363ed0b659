//! What was measured.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::Error;
use crate::process::Spent;

/// What a run measured. Latencies are in microseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Answers with a status of 200 to 299.
    pub(crate) good: u64,
    /// Other answers, by status.
    pub(crate) refused: BTreeMap<u16, u64>,
    /// Requests without an answer: the connection could not be opened, or broke.
    pub(crate) broken: u64,
    /// What the last of them said.
    pub(crate) last_error: Option<String>,
    /// Requests that were due, and were not begun: no connection was free until the end.
    pub(crate) unsent: u64,
    /// From the first request to the last answer, in seconds.
    pub(crate) seconds: f64,
    /// Of the good answers.
    pub(crate) latency: Latency,
    /// What this program used of the processor meanwhile, in seconds.
    pub(crate) own_cpu_seconds: f64,
    /// What the server used of it meanwhile, in seconds, if it was asked for.
    pub(crate) server_cpu_seconds: Option<f64>,
}

/// How long answers took, in microseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) mean: f64,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    pub(crate) max: u64,
}

/// Counts as it goes.
#[derive(Debug)]
pub(crate) struct Tally {
    good: u64,
    refused: BTreeMap<u16, u64>,
    broken: u64,
    last_error: Option<String>,
    latency: Histogram<u64>,
}

impl Tally {
    pub(crate) fn new() -> Result<Self, Error> {
        // A minute at most, to three digits.
        let latency = Histogram::new_with_bounds(1, 60_000_000, 3)?;
        Ok(Self { good: 0, refused: BTreeMap::new(), broken: 0, last_error: None, latency })
    }

    /// An answer, and how long it took.
    pub(crate) fn answered(&mut self, status: u16, took: Duration) {
        if (200..300).contains(&status) {
            self.good += 1;
            self.latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1));
        } else {
            *self.refused.entry(status).or_default() += 1;
        }
    }

    /// A request that has no answer.
    pub(crate) fn broke(&mut self, error: &Error) {
        self.broken += 1;
        self.last_error = Some(error.to_string());
    }

    /// What it came to, in this time and with this use of the processor.
    pub(crate) fn report(self, took: Duration, unsent: u64, cpu: Spent) -> Report {
        let latency = Latency {
            mean: self.latency.mean(),
            p50: self.latency.value_at_quantile(0.5),
            p99: self.latency.value_at_quantile(0.99),
            p999: self.latency.value_at_quantile(0.999),
            max: self.latency.max(),
        };
        Report {
            good: self.good,
            refused: self.refused,
            broken: self.broken,
            last_error: self.last_error,
            unsent,
            seconds: took.as_secs_f64(),
            latency,
            own_cpu_seconds: cpu.own,
            server_cpu_seconds: cpu.server,
        }
    }
}
