//! `POST /v1/sys/leases/renew/{url_lease_id}`: the same with the lease's id in the path.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::Ttl;
use crate::engine::{Cx, Endpoint, RenewedLease, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::{LeasePath, renew};

/// For how long.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct RenewLease {
    /// How long it is to last from now; nothing is as long as it was made for.
    increment: Ttl,
}

impl Endpoint for RenewLease {
    type Target = Arc<Unsealed>;
    type Path = LeasePath;
    type Reply = RenewedLease;
    const ROUTE: Route = Route::write("leases/renew/{url_lease_id..}").summary("Makes a lease last longer");
    const ALIASES: &'static [&'static str] = &["lease_id"];

    async fn handle(self, unsealed: &Arc<Unsealed>, path: LeasePath, cx: &mut Cx<'_>) -> Result<RenewedLease> {
        renew::renew(unsealed, &path.url_lease_id, self.increment, cx).await
    }
}
