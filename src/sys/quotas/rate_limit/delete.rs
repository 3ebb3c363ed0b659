//! `DELETE /v1/sys/quotas/rate-limit/{name}`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::QuotaPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteQuota {}

impl Endpoint for DeleteQuota {
    type Target = Arc<Unsealed>;
    type Path = QuotaPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("quotas/rate-limit/{name}").summary("Removes a rate limit");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: QuotaPath, cx: &mut Cx<'_>) -> Result<Done> {
        let mut quotas = unsealed.core.quotas.fetch(cx.txn()).await?;
        if quotas.rate_limits.remove(&path.name).is_some() {
            unsealed.core.quotas.write(quotas, cx.txn())?;
        }
        Ok(Done)
    }
}
