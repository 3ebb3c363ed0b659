//! What was measured.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::Error;

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
    /// From the first request to the last answer, in seconds.
    pub(crate) seconds: f64,
    /// Of the good answers.
    pub(crate) latency: Latency,
    /// What this program used of the processor, in seconds.
    pub(crate) own_cpu_seconds: f64,
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

    /// What it came to.
    pub(crate) fn report(self, took: Duration) -> Report {
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
            seconds: took.as_secs_f64(),
            latency,
            own_cpu_seconds: own_cpu(),
        }
    }
}

/// What this process used of the processor so far, in seconds: fields 14 and 15 of `/proc/self/stat` (proc(5)), which
/// count hundredths.
fn own_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u32 = fields.skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    f64::from(ticks) / 100.0
}
