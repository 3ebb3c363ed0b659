//! `LIST /v1/identity/oidc/key`: the names of the keys.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListKeys {}

impl Endpoint for ListKeys {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("oidc/key").summary("The names of the keys that sign identity tokens");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(unsealed.identity.oidc.key_names().await?))
    }
}
