//! `LIST /v1/auth/{mount}/role`: the names of the roles.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::jwt::{Jwt, NoPath};
use crate::engine::{Cx, Endpoint, Listing, Paging, Route};
use crate::error::Result;

use super::FOLDER;

/// Which part of the list is wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::auth::jwt) struct ListRoles(Paging);

impl Endpoint for ListRoles {
    type Target = Jwt;
    type Path = NoPath;
    type Reply = Listing;

    const ROUTE: Route = Route::list("role").summary("List the roles for tokens of identity providers.");

    async fn handle(self, jwt: &Jwt, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(jwt.view.list(FOLDER, self.0.page()).await?))
    }
}
