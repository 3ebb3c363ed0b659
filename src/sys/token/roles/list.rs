//! `LIST /v1/auth/token/roles`: the names of the roles.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::super::NoPath;
use super::record::roles;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListRoles {}

impl Endpoint for ListRoles {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("roles").summary("The names of the roles");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(roles(unsealed).scan("").await?))
    }
}
