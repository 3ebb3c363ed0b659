//! `POST /v1/sys/quotas/config`. What is left out is reset: no exemption outlives a configuration that does not name it, but
//! for those that hold by themselves.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{LooseBool, StringList};
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::quota::QuotaConfig;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// What is to hold for all quotas.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteConfig {
    /// Whether refused requests go to the audit log.
    enable_rate_limit_audit_logging: LooseBool,
    /// Whether answers say how many requests are left.
    enable_rate_limit_response_headers: LooseBool,
    /// Paths that no limit is for; a star at the end stands for anything.
    rate_limit_exempt_paths: Option<StringList>,
}

impl Endpoint for WriteConfig {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("quotas/config").summary("Changes what holds for all quotas");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        let exempt = self.rate_limit_exempt_paths.map(StringList::filled);
        let mut quotas = unsealed.core.quotas.fetch(cx.txn()).await?;
        quotas.config = QuotaConfig {
            exempt_paths: exempt.unwrap_or_else(|| QuotaConfig::default().exempt_paths),
            audit_refusals: self.enable_rate_limit_audit_logging.0,
            response_headers: self.enable_rate_limit_response_headers.0,
        };
        unsealed.core.quotas.write(quotas, cx.txn())?;
        Ok(Done)
    }
}
