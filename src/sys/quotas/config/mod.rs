//! `/v1/sys/quotas/config`: what holds for all quotas.

pub(super) mod read;
pub(super) mod write;
