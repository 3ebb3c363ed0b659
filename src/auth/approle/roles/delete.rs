//! `DELETE /v1/auth/{mount}/role/{role_name}`: removes a role and all of its secret ids.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::approle::Approle;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

use super::{Role, RolePath, role_key};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::approle) struct DeleteRole {}

impl Endpoint for DeleteRole {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Done;

    const ROUTE: Route = Route::delete("role/{role_name:name}").summary("Delete a role and its secret ids.");

    async fn handle(self, approle: &Approle, RolePath { role_name }: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        let key = role_key(&role_name);
        let Some(role) = approle.view.fetch::<Role>(cx.txn(), &key).await? else { return Ok(Done) };
        approle.view.delete(cx.txn(), &approle.role_id_key(&role.role_id))?;
        approle.delete_secret_ids(cx.txn(), &role.uuid).await?;
        approle.view.delete(cx.txn(), &key)?;
        Ok(Done)
    }
}
