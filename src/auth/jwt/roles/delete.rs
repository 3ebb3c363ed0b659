//! `DELETE /v1/auth/{mount}/role/{name}`: removes a role.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::jwt::Jwt;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

use super::{RolePath, key};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::jwt) struct DeleteRole {}

impl Endpoint for DeleteRole {
    type Target = Jwt;
    type Path = RolePath;
    type Reply = Done;

    const ROUTE: Route = Route::delete("role/{name:name}").summary("Delete a role for tokens of identity providers.");

    async fn handle(self, jwt: &Jwt, RolePath { name }: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        jwt.view.delete(cx.txn(), &key(&name))?;
        Ok(Done)
    }
}
