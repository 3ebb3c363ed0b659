//! `/v1/sys/*`.

mod explain;
mod init;
mod leases;
mod mounts;
mod namespaces;
mod observing;
mod policies;
mod quotas;
mod wrapping;
