//! `LIST /v1/identity/oidc/role`: the names of the roles.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListRoles {}

impl Endpoint for ListRoles {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("oidc/role").summary("The names of the roles of identity tokens");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(unsealed.identity.oidc.role_names().await?))
    }
}
