//! `GET /v1/sys/leases/count?type=irrevocable`: how many leases cannot be revoked.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseBool, LooseText};
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::irrevocable::irrevocable;

/// Which leases.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct CountLeases {
    /// `irrevocable`; there is nothing to read of another kind.
    #[serde(rename = "type")]
    kind: LooseText,
    /// There are no child namespaces whose leases could be left out.
    include_child_namespaces: LooseBool,
}

/// How many there are.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LeaseCount {
    /// By the accessor of the mount that made them.
    counts: BTreeMap<String, u64>,
    lease_count: usize,
}

impl Endpoint for CountLeases {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<LeaseCount>;
    const ROUTE: Route = Route::read("leases/count").summary("How many leases cannot be revoked");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let found = irrevocable(unsealed, &self.kind.0).await?;
        let mut counts = BTreeMap::new();
        for (accessor, _) in &found {
            *counts.entry(accessor.clone()).or_default() += 1;
        }
        Ok(Data::new(LeaseCount { counts, lease_count: found.len() }))
    }
}
