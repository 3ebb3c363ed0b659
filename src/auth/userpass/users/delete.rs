//! `DELETE /v1/auth/{mount}/users/{username}`: removes a user; the user's tokens live on until they are renewed.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::userpass::Userpass;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

use super::{UserPath, key};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::userpass) struct DeleteUser {}

impl Endpoint for DeleteUser {
    type Target = Userpass;
    type Path = UserPath;
    type Reply = Done;

    const ROUTE: Route = Route::delete("users/{username:name}").summary("Delete a user.");

    async fn handle(self, userpass: &Userpass, UserPath { username }: UserPath, cx: &mut Cx<'_>) -> Result<Done> {
        userpass.view.delete(cx.txn(), &key(&username))?;
        let lockouts = userpass.lockouts.clone();
        cx.txn().on_commit(move || lockouts.forgive(&username));
        Ok(Done)
    }
}
