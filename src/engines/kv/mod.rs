//! Key-value secrets. Version 1 keeps one value at each path; version 2 keeps several versions of it.

mod path;
mod scan;
pub mod v1;
pub mod v2;

use crate::engine::View;
use crate::error::Result;

/// How many secrets a mount has whose records `view` shows.
pub async fn count(view: &View, is_versioned: bool) -> Result<u64> {
    view.within(if is_versioned { v2::SECRETS } else { v1::SECRETS }).count().await
}
