//! `/v1/sys/mounts/{path}/tune`: how a mount is tuned.

pub(in crate::sys) mod read;
pub(in crate::sys) mod write;
