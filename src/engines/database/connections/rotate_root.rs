//! `POST /v1/{mount}/rotate-root/{name}`: gives a connection's own user a password that nobody but the server knows.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Database, EntryPath};
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

/// Changes the password of a connection's own user.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct RotateRoot {}

impl Endpoint for RotateRoot {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Done;

    const ROUTE: Route = Route::write("rotate-root/{name}").summary("Rotate the password of a connection's own user");

    async fn handle(self, database: &Database, path: EntryPath, _: &mut Cx<'_>) -> Result<Done> {
        database.connections.rotate_root(path.name.as_str()).await?;
        Ok(Done)
    }
}
