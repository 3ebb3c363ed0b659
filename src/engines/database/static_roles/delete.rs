//! `DELETE /v1/{mount}/static-roles/{name}`: forgets a static role. The user stays, with the last password.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Database, EntryPath};
use super::record::StaticRole;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

/// Forgets a static role.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DeleteStaticRole {}

impl Endpoint for DeleteStaticRole {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Done;

    const ROUTE: Route = Route::delete("static-roles/{name}").summary("Forget a role that rotates a user's password");

    async fn handle(self, database: &Database, path: EntryPath, cx: &mut Cx<'_>) -> Result<Done> {
        database.view.delete(cx.txn(), &StaticRole::key(path.name.as_str()))?;
        Ok(Done)
    }
}
