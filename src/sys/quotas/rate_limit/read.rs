//! `GET /v1/sys/quotas/rate-limit/{name}`.

use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::api::Ttl;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::quota::{RateLimit, Scope};
use crate::vault::Unsealed;

use super::QuotaPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadQuota {}

/// A rate limit; lengths in seconds.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct QuotaInfo {
    block_interval: Ttl,
    inheritable: bool,
    interval: Ttl,
    name: String,
    path: String,
    rate: Number,
    role: String,
    r#type: &'static str,
}

impl Endpoint for ReadQuota {
    type Target = Arc<Unsealed>;
    type Path = QuotaPath;
    type Reply = Data<QuotaInfo>;
    const ROUTE: Route = Route::read("quotas/rate-limit/{name}").summary("A rate limit");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: QuotaPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let found = unsealed.core.quotas.stored().await?.rate_limits.remove(&path.name);
        let RateLimit { name, scope: Scope { path, role, inheritable }, rate, interval, block_interval } =
            found.ok_or_else(Error::absent)?;
        // A whole number without a fraction, as clients know it: 1000, not 1000.0.
        let rate = Number::from_str(&rate.to_string()).map_err(|_| Error::corrupt("a rate limit has no rate"))?;
        let r#type = "rate-limit";
        Ok(Data::new(QuotaInfo { block_interval, inheritable, interval, name, path, rate, role, r#type }))
    }
}
