//! `/v1/sys/*`.

mod explain;
mod init;
mod leases;
mod metrics;
mod mounts;
mod namespaces;
mod observing;
mod policies;
mod quotas;
mod storage;
mod traces;
mod wrapping;
