//! `POST /v1/{mount}/reset/{name}`: closes a connection's pool; the next request opens a new one.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Database, EntryPath};
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

/// Closes a connection's pool.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ResetConnection {}

impl Endpoint for ResetConnection {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Done;

    const ROUTE: Route = Route::write("reset/{name}").summary("Close the open connections to a database");

    async fn handle(self, database: &Database, path: EntryPath, _: &mut Cx<'_>) -> Result<Done> {
        let name = path.name.as_str();
        database.connections.record(name).await?;
        database.connections.forget(name);
        Ok(Done)
    }
}
