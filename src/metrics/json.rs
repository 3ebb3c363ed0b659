//! The JSON form, which is that of `go-metrics`: the figures of the last ten seconds that are over.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use super::counter::Count;
use super::interval;
use super::page::{Figure, Labels, Page};
use super::prometheus::prefixed;
use super::summary::{Figures, float};
use crate::time::Timestamp;

/// An interval of ten seconds. Histograms are not in it: the form has nothing for them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct IntervalReport {
    timestamp: String,
    gauges: Vec<GaugeValue>,
    points: [(); 0],
    counters: Vec<SampledValue>,
    samples: Vec<SampledValue>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GaugeValue {
    name: String,
    value: f64,
    labels: BTreeMap<&'static str, String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SampledValue {
    name: String,
    count: u64,
    rate: f64,
    sum: f64,
    min: f64,
    max: f64,
    mean: f64,
    stddev: f64,
    labels: BTreeMap<&'static str, String>,
}

impl Page {
    /// The JSON form. `prefix` is what names begin with that Vault has too.
    pub fn report(&self, prefix: &str) -> IntervalReport {
        let (mut gauges, mut counters, mut samples) = (Vec::new(), Vec::new(), Vec::new());
        for (name, family) in &self.families {
            for (labels, figure) in &family.series {
                let name = prefixed(name, prefix);
                match figure {
                    Figure::Gauge(value) | Figure::Total(value) => {
                        gauges.push(GaugeValue { name, value: *value, labels: by_name(labels) });
                    }
                    Figure::Counter(count) => counters.extend(counted(name, *count, labels)),
                    Figure::Summary(snapshot) => {
                        samples.extend(snapshot.reported.as_ref().map(|figures| sampled(name, figures, labels)));
                    }
                    Figure::Histogram(_) => {}
                }
            }
        }
        IntervalReport { timestamp: spelled(self.shown.start), gauges, points: [], counters, samples }
    }
}

/// A counter, if anything was counted in the interval.
fn counted(name: String, count: Count, labels: &Labels) -> Option<SampledValue> {
    let sum = float(count.reported);
    (count.reported > 0).then(|| SampledValue {
        name,
        count: count.reported,
        rate: sum / interval::LENGTH.as_secs_f64(),
        sum,
        min: 1.0,
        max: 1.0,
        mean: 1.0,
        stddev: 0.0,
        labels: by_name(labels),
    })
}

fn sampled(name: String, figures: &Figures, labels: &Labels) -> SampledValue {
    SampledValue {
        name,
        count: figures.count(),
        rate: figures.sum() / interval::LENGTH.as_secs_f64(),
        sum: figures.sum(),
        min: figures.min(),
        max: figures.max(),
        mean: figures.mean(),
        stddev: figures.deviation(),
        labels: by_name(labels),
    }
}

fn by_name(labels: &Labels) -> BTreeMap<&'static str, String> {
    labels.iter().cloned().collect()
}

/// `2026-01-02 03:04:10 +0000 UTC`, as Go writes it.
fn spelled(moment: Timestamp) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] +0000 UTC");
    let moment = OffsetDateTime::from_unix_timestamp(moment.unix_seconds()).ok();
    moment.and_then(|moment| moment.format(form).ok()).unwrap_or_default()
}
