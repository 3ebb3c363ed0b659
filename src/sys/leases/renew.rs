//! `POST /v1/sys/leases/renew`: makes a lease last longer.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{LooseText, Ttl};
use crate::engine::{Cx, Endpoint, RenewedLease, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::given;

/// Which lease, and for how long.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct RenewLease {
    /// Its id.
    lease_id: LooseText,
    /// How long it is to last from now; nothing is as long as it was made for.
    increment: Ttl,
}

impl Endpoint for RenewLease {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = RenewedLease;
    const ROUTE: Route = Route::write("leases/renew").summary("Makes a lease last longer");
    const ALIASES: &'static [&'static str] = &["url_lease_id"];

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<RenewedLease> {
        renew(unsealed, &given(self.lease_id.0)?, self.increment, cx).await
    }
}

/// Renews the lease `id`; a length that was cut short is a warning.
pub(super) async fn renew(unsealed: &Unsealed, id: &str, asked: Ttl, cx: &mut Cx<'_>) -> Result<RenewedLease> {
    let (lease, granted) = unsealed.renew_lease(id, asked, cx.txn()).await?;
    granted.warnings.into_iter().for_each(|warning| cx.warn(warning));
    Ok(RenewedLease { id: lease.id, ttl: granted.ttl, renewable: lease.renewable })
}
