//! `DELETE /v1/sys/quotas/lease-count/{name}`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::{Quotas, Unsealed};

use super::QuotaPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteQuota {}

impl Endpoint for DeleteQuota {
    type Target = Arc<Unsealed>;
    type Path = QuotaPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("quotas/lease-count/{name}").summary("Removes a lease-count quota");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: QuotaPath, _: &mut Cx<'_>) -> Result<Done> {
        if unsealed.core.quotas.stored().await?.lease_limits.contains_key(&path.name) {
            let removed = |quotas: &mut Quotas| {
                quotas.lease_limits.remove(&path.name);
                Ok(())
            };
            unsealed.core.change_quotas(removed).await?;
        }
        Ok(Done)
    }
}
