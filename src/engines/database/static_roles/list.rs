//! `LIST /v1/{mount}/static-roles?after={name}&limit={n}`: the names of the static roles.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Database, NoPath};
use crate::engine::{Cx, Endpoint, Listing, Paging, Route};
use crate::error::Result;

/// Asks for the names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct ListStaticRoles(Paging);

impl Endpoint for ListStaticRoles {
    type Target = Database;
    type Path = NoPath;
    type Reply = Listing;

    const ROUTE: Route = Route::list("static-roles").summary("List the roles that rotate a user's password");

    async fn handle(self, database: &Database, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(database.view.list("static-role/", self.0.page()).await?))
    }
}
