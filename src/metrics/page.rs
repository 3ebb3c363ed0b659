//! `Page`: all that is shown at one moment, from which both forms are written.

use std::collections::BTreeMap;

use super::counter::{Count, Counter};
use super::histogram::{Buckets, Histogram};
use super::interval::Shown;
use super::summary::{Snapshot, Summary};

/// What tells the series of one name apart, in the order in which it is shown.
pub type Labels = Vec<(&'static str, String)>;

/// All that is shown at one moment.
///
/// Names have dots, as the JSON form has them; that of Prometheus has underscores. What Vault and its forks have too
/// begins with `vault.`, in whose place a configured prefix can stand; what is this server's alone begins with `arca.`.
#[derive(Debug)]
pub struct Page {
    pub(super) shown: Shown,
    pub(super) families: BTreeMap<String, Family>,
}

/// The series of one name.
#[derive(Clone, Debug)]
pub(super) struct Family {
    pub(super) help: &'static str,
    pub(super) series: Vec<(Labels, Figure)>,
}

/// One series.
#[derive(Clone, Debug)]
pub(super) enum Figure {
    /// Only grows.
    Counter(Count),
    /// Only grows, and is read from elsewhere.
    Total(f64),
    Gauge(f64),
    Summary(Box<Snapshot>),
    Histogram(Buckets),
}

impl Page {
    pub(super) fn new(shown: Shown) -> Self {
        Self { shown, families: BTreeMap::new() }
    }

    /// Shows a number that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &'static str, labels: Labels, value: f64) {
        self.add(name, help, labels, Figure::Gauge(value));
    }

    /// Shows a number that only grows and is counted elsewhere.
    pub fn total(&mut self, name: &str, help: &'static str, labels: Labels, value: f64) {
        self.add(name, help, labels, Figure::Total(value));
    }

    pub(super) fn counter(&mut self, name: &str, help: &'static str, labels: Labels, counter: &Counter) {
        let count = counter.count(self.shown);
        self.add(name, help, labels, Figure::Counter(count));
    }

    pub(super) fn summary(&mut self, name: &str, help: &'static str, summary: &Summary) {
        let snapshot = summary.snapshot(self.shown);
        self.add(name, help, Labels::new(), Figure::Summary(Box::new(snapshot)));
    }

    pub(super) fn histogram(&mut self, name: &str, help: &'static str, labels: Labels, histogram: &Histogram) {
        self.add(name, help, labels, Figure::Histogram(histogram.buckets()));
    }

    fn add(&mut self, name: &str, help: &'static str, labels: Labels, figure: Figure) {
        let family = self.families.entry(name.to_owned()).or_insert(Family { help, series: Vec::new() });
        family.add(labels, figure);
    }
}

impl Family {
    /// Adds a series; to one with the same labels it is added up, since none may come twice.
    pub(super) fn add(&mut self, labels: Labels, figure: Figure) {
        match self.series.iter_mut().find(|(known, _)| *known == labels) {
            None => self.series.push((labels, figure)),
            Some((_, known)) => known.merge(figure),
        }
    }
}

impl Figure {
    /// The word for it in the form of Prometheus.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Counter(_) | Self::Total(_) => "counter",
            Self::Gauge(_) => "gauge",
            Self::Summary(_) => "summary",
            Self::Histogram(_) => "histogram",
        }
    }

    fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Counter(count), Self::Counter(other)) => {
                count.total += other.total;
                count.reported += other.reported;
            }
            (Self::Total(value), Self::Total(other)) | (Self::Gauge(value), Self::Gauge(other)) => *value += other,
            (Self::Summary(snapshot), Self::Summary(other)) => snapshot.merge(&other),
            (Self::Histogram(buckets), Self::Histogram(other)) => {
                buckets.count += other.count;
                buckets.sum += other.sum;
                buckets.below.iter_mut().zip(other.below).for_each(|(bucket, other)| bucket.1 += other.1);
            }
            // One name is of one kind, so there is nothing to add up.
            (known, other) => *known = other,
        }
    }
}
