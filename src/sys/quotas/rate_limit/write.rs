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

use super::QuotaPath;

/// A rate limit.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteQuota {
    /// What it is for: nothing for every request, a mount, a path, or what paths begin with (with a star at its end).
    path: LooseText,
    /// So many requests of one address in each interval.
    #[serde(deserialize_with = "rate")]
    rate: f64,
    /// The interval; a second where nothing is said.
    interval: Ttl,
    /// For how long an address that asked too often is refused.
    block_interval: Ttl,
    /// Kept and shown.
    inheritable: Option<LooseBool>,
    /// Limits by role are not supported: anything but nothing is refused.
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
        let same = quotas.rate_limits.values().find(|other| other.path == limit.path && other.name != limit.name);
        if let Some(other) = same {
            let name = &other.name;
            return Err(Error::invalid(format!("quota rule with similar properties exists under the name {name:?}")));
        }
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
        if !self.role.0.is_empty() {
            return Err(Error::invalid("the mount does not support use with role-based quotas"));
        }
        let path = limited_path(&self.path.0, unsealed)?;
        Ok(RateLimit {
            inheritable: self.inheritable.map_or(path.is_empty(), |flag| flag.0),
            name,
            path,
            rate: self.rate,
            interval: self.interval.or(Ttl::from_seconds(1)),
            block_interval: self.block_interval,
        })
    }
}

/// The path in its one spelling; what is not below a mount would never be asked for.
fn limited_path(text: &str, unsealed: &Unsealed) -> Result<String> {
    let text = text.trim_start_matches('/');
    if text.is_empty() {
        return Ok(String::new());
    }
    let (point, rest) = unsealed.mounts.route(text).ok_or_else(|| Error::invalid("invalid mount path"))?;
    if rest.is_empty() {
        return Ok(point.entry.path.clone());
    }
    Ok(text.trim_end_matches('/').to_owned())
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
