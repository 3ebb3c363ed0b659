//! `POST /v1/sys/leases/revoke-force/{prefix}`: ends every lease below a path, and forgets those that cannot be ended.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::PrefixPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RevokeForce {}

impl Endpoint for RevokeForce {
    type Target = Arc<Unsealed>;
    type Path = PrefixPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("leases/revoke-force/{prefix..}")
        .sudo()
        .summary("Ends every lease below a path, and forgets those that cannot be ended");
    const ALIASES: &'static [&'static str] = &["sync"];

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PrefixPath, _: &mut Cx<'_>) -> Result<Done> {
        unsealed.revoke_prefix_by_force(&path.prefix).await?;
        Ok(Done)
    }
}
