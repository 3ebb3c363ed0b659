//! `DELETE /v1/{mount}/config/{name}`: forgets a connection. The users that it made stay until their leases end, and
//! cannot be removed while it is gone.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Database, EntryPath};
use super::record::Connection;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

/// Forgets a connection.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DeleteConnection {}

impl Endpoint for DeleteConnection {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Done;

    const ROUTE: Route = Route::delete("config/{name}").summary("Forget a connection");

    async fn handle(self, database: &Database, path: EntryPath, cx: &mut Cx<'_>) -> Result<Done> {
        let name = path.name.into_string();
        database.view.delete(cx.txn(), &Connection::key(&name))?;
        let connections = database.connections.clone();
        cx.txn().on_commit(move || connections.forget(&name));
        Ok(Done)
    }
}
