//! `/v1/sys/*`.

mod init;
mod leases;
mod mounts;
mod policies;
mod wrapping;
