//! `POST /v1/sys/leases/revoke`: ends a lease.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{LooseBool, LooseText};
use crate::engine::{Cx, Data, Endpoint, Route, StatusCode};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::given;

/// Which lease.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RevokeLease {
    /// Its id.
    #[serde(default)]
    lease_id: LooseText,
    /// Whether to answer only when it is done; otherwise it is due, durably, and done in the background.
    #[serde(default = "super::waits")]
    sync: LooseBool,
}

impl Endpoint for RevokeLease {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<()>;
    const ROUTE: Route = Route::write("leases/revoke").summary("Ends a lease");
    const ALIASES: &'static [&'static str] = &["url_lease_id"];

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<()>> {
        revoke(unsealed, &given(self.lease_id.0)?, self.sync.0).await
    }
}

/// Ends the lease `id`; one that is not there is a success.
pub(super) async fn revoke(unsealed: &Unsealed, id: &str, wait: bool) -> Result<Data<()>> {
    if wait {
        unsealed.revoke_lease(id).await?;
    } else {
        unsealed.doom_lease(id).await?;
    }
    Ok(answer(wait))
}

/// 204 where it is done, 202 where it is done in the background.
pub(super) fn answer(waited: bool) -> Data<()> {
    let done = Data::or_nothing(None);
    if waited { done } else { done.with_status(StatusCode::ACCEPTED) }
}
