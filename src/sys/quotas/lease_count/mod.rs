//! `/v1/sys/quotas/lease-count`.

mod delete;
mod list;
mod read;
mod write;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `sys/quotas/lease-count`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<list::ListQuotas>()
        .endpoint::<read::ReadQuota>()
        .endpoint::<write::WriteQuota>()
        .endpoint::<delete::DeleteQuota>()
}

/// The name of a quota.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct QuotaPath {
    name: String,
}
