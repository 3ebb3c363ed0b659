//! `DELETE /v1/{mount}/roles/{name}`: forgets a role. The users that it made stay until their leases end.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Database, EntryPath};
use super::record::Role;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

/// Forgets a role.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DeleteRole {}

impl Endpoint for DeleteRole {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Done;

    const ROUTE: Route = Route::delete("roles/{name}").summary("Forget a role that makes users");

    async fn handle(self, database: &Database, path: EntryPath, cx: &mut Cx<'_>) -> Result<Done> {
        database.view.delete(cx.txn(), &Role::key(path.name.as_str()))?;
        Ok(Done)
    }
}
