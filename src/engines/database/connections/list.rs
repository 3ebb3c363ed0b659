//! `LIST /v1/{mount}/config`: the names of the connections.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Database, NoPath};
use crate::engine::{Cx, Endpoint, Listing, Page, Route};
use crate::error::Result;

/// Asks for the names.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListConnections {}

impl Endpoint for ListConnections {
    type Target = Database;
    type Path = NoPath;
    type Reply = Listing;

    const ROUTE: Route = Route::list("config").summary("List the connections");

    async fn handle(self, database: &Database, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(database.view.list("config/", Page::all()).await?))
    }
}
