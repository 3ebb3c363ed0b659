//! `LIST /v1/sys/leases/lookup/{prefix}`: the leases and folders directly below a path.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::PrefixPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListLeases {}

impl Endpoint for ListLeases {
    type Target = Arc<Unsealed>;
    type Path = PrefixPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("leases/lookup/{prefix..}").sudo().summary("The leases below a path");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PrefixPath, _: &mut Cx<'_>) -> Result<Listing> {
        let prefix = path.prefix.trim_matches('/');
        let folder = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Listing::of(unsealed.leases.list(&folder).await?))
    }
}
