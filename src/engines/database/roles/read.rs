//! `GET /v1/{mount}/roles/{name}`: a role.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Database, EntryPath};
use super::record::Role;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};

/// Asks for a role.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ReadRole {}

impl Endpoint for ReadRole {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Data<Role>;

    const ROUTE: Route = Route::read("roles/{name}").summary("Read a role that makes users");

    async fn handle(self, database: &Database, path: EntryPath, _: &mut Cx<'_>) -> Result<Data<Role>> {
        let role = database.view.get(&Role::key(path.name.as_str())).await?;
        role.map(Data::new).ok_or_else(Error::absent)
    }
}
