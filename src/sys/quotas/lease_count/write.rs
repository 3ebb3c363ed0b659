//! `POST /v1/sys/quotas/lease-count/{name}`.
//!
//! The quota is in force, and the leases counted, when the answer comes. There may be more than it allows already: none
//! of them ends for that, none is added until enough have ended.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{LooseBool, LooseInt, LooseText};
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::quota::LeaseLimit;
use crate::vault::{Quotas, Unsealed};

use super::super::scope::{refuse_same, scope};
use super::QuotaPath;

/// A lease-count quota.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteQuota {
    /// What made the leases: nothing for every request, a namespace, a mount, a path, or what paths begin with (with a star
    /// at its end).
    path: LooseText,
    /// So many leases at a time.
    max_leases: Option<LooseInt>,
    /// Whether a namespace's quota holds for those within it too; so does the one for all leases where nothing is said.
    inheritable: Option<LooseBool>,
    /// The role that was logged in with, where the path is an auth method with roles.
    role: LooseText,
    /// Always `lease-count`.
    r#type: LooseText,
}

impl Endpoint for WriteQuota {
    type Target = Arc<Unsealed>;
    type Path = QuotaPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("quotas/lease-count/{name}").summary("Writes a lease-count quota");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: QuotaPath, _: &mut Cx<'_>) -> Result<Done> {
        let limit = self.limit(path.name, unsealed)?;
        let change = |quotas: &mut Quotas| {
            let others = quotas.lease_limits.iter().map(|(name, other)| (name, &other.scope));
            refuse_same(others, &limit.name, &limit.scope)?;
            quotas.lease_limits.insert(limit.name.clone(), limit.clone());
            Ok(())
        };
        unsealed.core.change_quotas(change).await?;
        Ok(Done)
    }
}

impl WriteQuota {
    fn limit(self, name: String, unsealed: &Unsealed) -> Result<LeaseLimit> {
        let max_leases = self.max_leases.and_then(|number| u64::try_from(number.0).ok()).filter(|number| *number > 0);
        Ok(LeaseLimit {
            name,
            max_leases: max_leases.ok_or_else(|| Error::invalid("'max_leases' is invalid: it must be above zero"))?,
            scope: scope(&self.path.0, self.role.0, self.inheritable, unsealed)?,
        })
    }
}
