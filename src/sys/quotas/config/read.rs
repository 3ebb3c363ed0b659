//! `GET /v1/sys/quotas/config`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::quota::QuotaConfig;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadConfig {}

/// What holds for all quotas.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConfigInfo {
    enable_rate_limit_audit_logging: bool,
    enable_rate_limit_response_headers: bool,
    rate_limit_exempt_paths: Vec<String>,
}

impl Endpoint for ReadConfig {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<ConfigInfo>;
    const ROUTE: Route = Route::read("quotas/config").summary("What holds for all quotas");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let QuotaConfig { exempt_paths, audit_refusals, response_headers } =
            unsealed.core.quotas.stored().await?.config;
        Ok(Data::new(ConfigInfo {
            enable_rate_limit_audit_logging: audit_refusals,
            enable_rate_limit_response_headers: response_headers,
            rate_limit_exempt_paths: exempt_paths,
        }))
    }
}
