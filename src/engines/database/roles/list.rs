//! `LIST /v1/{mount}/roles?after={name}&limit={n}`: the names of the roles that make users.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Database, NoPath};
use crate::engine::{Cx, Endpoint, Listing, Paging, Route};
use crate::error::Result;

/// Asks for the names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct ListRoles(Paging);

impl Endpoint for ListRoles {
    type Target = Database;
    type Path = NoPath;
    type Reply = Listing;

    const ROUTE: Route = Route::list("roles").summary("List the roles that make users");

    async fn handle(self, database: &Database, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(database.view.list("role/", self.0.page()).await?))
    }
}
