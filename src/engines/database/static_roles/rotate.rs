//! `POST /v1/{mount}/rotate-role/{name}`: rotates the password of a static role now.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Database, EntryPath};
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

/// Rotates a password now.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct RotateStaticRole {}

impl Endpoint for RotateStaticRole {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Done;

    const ROUTE: Route = Route::write("rotate-role/{name}").summary("Rotate the password of a static role now");

    async fn handle(self, database: &Database, path: EntryPath, _: &mut Cx<'_>) -> Result<Done> {
        database.rotations.rotate(path.name.as_str()).await?;
        Ok(Done)
    }
}
