//! `POST /v1/sys/leases/revoke/{url_lease_id}`: the same with the lease's id in the path.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseBool;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::{LeasePath, revoke};

/// How.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RevokeLease {
    /// Whether to answer only when it is done.
    #[serde(default = "super::waits")]
    sync: LooseBool,
}

impl Endpoint for RevokeLease {
    type Target = Arc<Unsealed>;
    type Path = LeasePath;
    type Reply = Data<()>;
    const ROUTE: Route = Route::write("leases/revoke/{url_lease_id..}").summary("Ends a lease");
    const ALIASES: &'static [&'static str] = &["lease_id"];

    async fn handle(self, unsealed: &Arc<Unsealed>, path: LeasePath, _: &mut Cx<'_>) -> Result<Data<()>> {
        revoke::revoke(unsealed, &path.url_lease_id, self.sync.0).await
    }
}
