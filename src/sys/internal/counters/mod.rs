//! `/v1/sys/internal/counters`: how many there are of what.

pub(super) mod entities;
pub(super) mod requests;
pub(super) mod tokens;
