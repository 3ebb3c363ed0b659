//! `GET /v1/sys/leases?type=irrevocable`: the leases that cannot be revoked.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseBool, LooseText};
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::lease::Lease;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// Which leases.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ReadLeases {
    /// `irrevocable`; there is nothing to read of another kind.
    #[serde(rename = "type")]
    kind: LooseText,
    /// At most so many; `none` is all of them.
    limit: LooseText,
    /// There are no child namespaces whose leases could be left out.
    include_child_namespaces: LooseBool,
}

/// Leases that cannot be revoked.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct IrrevocableLeases {
    /// How many there are.
    lease_count: usize,
    /// As many of them as were asked for.
    leases: Vec<IrrevocableLease>,
}

/// A lease that cannot be revoked.
#[derive(Debug, Serialize, JsonSchema)]
struct IrrevocableLease {
    lease_id: String,
    /// The accessor of the mount that made it.
    mount: String,
    /// What is known of the reason.
    error: &'static str,
}

/// How many are shown when nobody says how many.
const SHOWN: usize = 10_000;

impl Endpoint for ReadLeases {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<IrrevocableLeases>;
    const ROUTE: Route = Route::read("leases").sudo().summary("The leases that cannot be revoked");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let limit = match self.limit.0.as_str() {
            "" => SHOWN,
            "none" => usize::MAX,
            number => {
                number.parse().map_err(|_| Error::invalid("invalid 'limit' provided: it must be a number or none"))?
            }
        };
        let found = irrevocable(unsealed, &self.kind.0).await?;
        let lease_count = found.len();
        let shown = found.into_iter().take(limit).map(|(mount, lease)| IrrevocableLease {
            lease_id: lease.id,
            mount,
            error: "it could not be revoked; the server's log says why, and it is tried again once an hour",
        });
        Ok(Data::new(IrrevocableLeases { lease_count, leases: shown.collect() }))
    }
}

/// The leases that cannot be revoked, each with the accessor of its mount. Of another kind there is nothing to read.
pub(super) async fn irrevocable(unsealed: &Unsealed, kind: &str) -> Result<Vec<(String, Lease)>> {
    if kind != "irrevocable" {
        return Err(Error::absent());
    }
    let leases = unsealed.leases_below("").await?.into_iter().filter(Lease::is_irrevocable);
    Ok(leases.map(|lease| (accessor(unsealed, &lease), lease)).collect())
}

fn accessor(unsealed: &Unsealed, lease: &Lease) -> String {
    let point = match lease.mount() {
        Some(mount) => unsealed.mounts.by_id(mount),
        None => unsealed.mounts.route(&lease.id).map(|(point, _)| point),
    };
    point.map_or_else(String::new, |point| point.entry.accessor.clone())
}
