//! `GET /v1/sys/quotas/lease-count/{name}`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::quota::{LeaseLimit, Scope};
use crate::vault::Unsealed;

use super::QuotaPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadQuota {}

/// A lease-count quota.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct QuotaInfo {
    /// How many leases there are now.
    counter: u64,
    inheritable: bool,
    max_leases: u64,
    name: String,
    path: String,
    role: String,
    r#type: &'static str,
}

impl Endpoint for ReadQuota {
    type Target = Arc<Unsealed>;
    type Path = QuotaPath;
    type Reply = Data<QuotaInfo>;
    const ROUTE: Route = Route::read("quotas/lease-count/{name}").summary("A lease-count quota, and its count");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: QuotaPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let found = unsealed.core.quotas.stored().await?.lease_limits.remove(&path.name);
        let LeaseLimit { name, scope, max_leases } = found.ok_or_else(Error::absent)?;
        let Scope { path, role, inheritable } = scope;
        let (counter, r#type) = (unsealed.core.quotas.leases().count(&name), "lease-count");
        Ok(Data::new(QuotaInfo { counter, inheritable, max_leases, name, path, role, r#type }))
    }
}
