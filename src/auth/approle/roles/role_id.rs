//! `GET` and `POST /v1/auth/{mount}/role/{role_name}/role-id`: the role id of a role.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::LooseText;
use crate::auth::approle::Approle;
use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::{Error, Result};

use super::{Role, RoleParams, RolePath, role_key};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::approle) struct ReadRoleId {}

/// A role id. It may be known to all, and is no proof by itself.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::approle) struct WriteRoleId {
    /// The role id.
    role_id: LooseText,
}

impl Endpoint for ReadRoleId {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Data<WriteRoleId>;

    const ROUTE: Route = Route::read("role/{role_name:name}/role-id").summary("Read the role id of a role.");

    async fn handle(
        self,
        approle: &Approle,
        RolePath { role_name }: RolePath,
        _: &mut Cx<'_>,
    ) -> Result<Data<WriteRoleId>> {
        let role = approle.role(&role_name).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(WriteRoleId { role_id: LooseText(role.role_id) }))
    }
}

impl Endpoint for WriteRoleId {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Done;

    const ROUTE: Route = Route::write("role/{role_name:name}/role-id").summary("Change the role id of a role.");

    async fn handle(self, approle: &Approle, RolePath { role_name }: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        if self.role_id.0.is_empty() {
            return Err(Error::invalid("missing role_id"));
        }
        let before: Option<Role> = approle.view.fetch(cx.txn(), &role_key(&role_name)).await?;
        let before = before.ok_or_else(Error::absent)?;
        let role = before.clone().changed(RoleParams { role_id: Some(self.role_id), ..RoleParams::default() })?;
        approle.put_role(cx.txn(), &role_name, &role, Some(&before)).await?;
        Ok(Done)
    }
}
