//! The figures that an operator watches: counters, summaries and histograms without locks, and the two forms that they
//! are shown in.
//!
//! A [`Metrics`] is a value that is passed to whatever counts in it; there is no registry of the process. What is counted
//! has a handle that was resolved before: a request costs some atomic additions and readings of the monotonic clock, and
//! neither memory nor text. No name, path below a mount, token or address of a caller is ever a label; the number of
//! labelled mounts is bounded (see [`MountMeters`]).
//!
//! **Why no library.** Dashboards for Vault read summaries with quantiles and counters without `_total`, and its JSON has
//! the figures of ten-second intervals. `prometheus-client` and `prometheus` have no summaries, the former no plain
//! counter names, and neither has intervals; what would be left of them is the writing of a line of text.

mod connections;
mod counter;
mod histogram;
mod interval;
mod json;
mod mounts;
mod page;
mod process;
mod prometheus;
mod requests;
mod storage;
mod summary;
mod traces;
mod work;

pub use connections::{ConnectionMeters, OpenConnection};
pub use counter::{Counter, Gauge};
pub use histogram::Histogram;
pub use json::IntervalReport;
pub use mounts::{MountMeter, MountMeters, RouteOperation};
pub use page::{Labels, Page};
pub use requests::RequestMeters;
pub use storage::StorageMeters;
pub use summary::Summary;
pub use traces::TraceMeters;
pub use work::WorkMeters;

use std::sync::Arc;

use crate::time::Timestamp;

use interval::Epoch;

/// What the names begin with that Vault and its forks have too, unless it is configured.
pub const PEER_PREFIX: &str = "vault";

/// Everything that is counted in one process.
#[derive(Debug)]
pub struct Metrics {
    /// What is counted of each request.
    pub requests: RequestMeters,
    /// What is counted of tokens, policies and leases.
    pub work: WorkMeters,
    /// What is counted of the store.
    pub storage: StorageMeters,
    /// What is counted of connections.
    pub connections: ConnectionMeters,
    /// What is counted of traces.
    pub traces: TraceMeters,
    /// What is counted of each mount.
    pub mounts: MountMeters,
    epoch: Epoch,
}

impl Metrics {
    /// Metrics that begin to count. `now` says where the ten-second intervals of the JSON form begin.
    pub fn new(now: Timestamp) -> Arc<Self> {
        let epoch = Epoch::new(now);
        Arc::new(Self {
            requests: RequestMeters::new(epoch),
            work: WorkMeters::new(epoch),
            storage: StorageMeters::new(epoch),
            connections: ConnectionMeters::new(epoch),
            traces: TraceMeters::new(epoch),
            mounts: MountMeters::new(epoch),
            epoch,
        })
    }

    /// A page with all that is counted. What is known of the state of a vault is for the caller to add.
    pub fn page(&self) -> Page {
        let Self { requests, work, storage, connections, traces, mounts, epoch } = self;
        let mut page = Page::new(epoch.report());
        requests.show(&mut page);
        work.show(&mut page);
        storage.show(&mut page);
        connections.show(&mut page);
        traces.show(&mut page);
        mounts.show(&mut page);
        process::show(&mut page);
        page
    }
}

#[cfg(test)]
mod tests;
