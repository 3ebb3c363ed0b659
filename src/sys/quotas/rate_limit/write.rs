//! `POST /v1/sys/quotas/rate-limit/{name}`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::api::{LooseBool, LooseText, Ttl};
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::quota::RateLimit;
use crate::vault::Unsealed;

use super::super::scope::{refuse_same, scope};
use super::QuotaPath;

/// A rate limit.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteQuota {
    /// What it is for: nothing for every request, a namespace, a mount, a path, or what paths begin with (with a star at its end).
    path: LooseText,
    /// So many requests of one address in each interval.
    #[serde(deserialize_with = "rate")]
    rate: f64,
    /// The interval; a second where nothing is said.
    interval: Ttl,
    /// For how long an address that asked too often is refused.
    block_interval: Ttl,
    /// Whether a namespace's limit holds for those within it too; so does the one for every request where nothing is said.
    inheritable: Option<LooseBool>,
    /// The role that logins are for, where the path is an auth method with roles.
    role: LooseText,
    /// Always `rate-limit`.
    r#type: LooseText,
}

impl Endpoint for WriteQuota {
    type Target = Arc<Unsealed>;
    type Path = QuotaPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("quotas/rate-limit/{name}").summary("Writes a rate limit");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: QuotaPath, cx: &mut Cx<'_>) -> Result<Done> {
        let limit = self.limit(path.name, unsealed)?;
        let mut quotas = unsealed.core.quotas.fetch(cx.txn()).await?;
        let others = quotas.rate_limits.iter().map(|(name, other)| (name, &other.scope));
        refuse_same(others, &limit.name, &limit.scope)?;
        quotas.rate_limits.insert(limit.name.clone(), limit);
        unsealed.core.quotas.write(quotas, cx.txn())?;
        Ok(Done)
    }
}

impl WriteQuota {
    fn limit(self, name: String, unsealed: &Unsealed) -> Result<RateLimit> {
        if !self.rate.is_finite() || self.rate <= 0.0 {
            return Err(Error::invalid("'rate' is invalid: it must be above zero"));
        }
        Ok(RateLimit {
            name,
            scope: scope(&self.path.0, self.role.0, self.inheritable, unsealed)?,
            rate: self.rate,
            interval: self.interval.or(Ttl::from_seconds(1)),
            block_interval: self.block_interval,
        })
    }
}

/// A number, or text that is one.
fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = match Value::deserialize(deserializer)? {
        Value::Null => Some(0.0),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.ok_or_else(|| de::Error::custom("expected a number"))
}
