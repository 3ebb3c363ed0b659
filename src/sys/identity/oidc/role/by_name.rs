//! `/v1/identity/oidc/role/{name}`: one role.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseText, Ttl};
use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::identity::oidc::{RoleChange, TokenRole};
use crate::vault::Unsealed;

use super::super::super::NamePath;

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadRole {}

/// A role as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RoleInfo {
    client_id: String,
    key: String,
    template: String,
    /// Seconds.
    ttl: Ttl,
}

impl Endpoint for ReadRole {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Data<RoleInfo>;
    const ROUTE: Route = Route::read("oidc/role/{name}").summary("A role of identity tokens");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let role = unsealed.identity.oidc.role(&path.name).await?.ok_or_else(Error::absent)?;
        let TokenRole { key, template, ttl, client_id } = role;
        Ok(Data::new(RoleInfo { client_id, key, template, ttl }))
    }
}

/// `POST`: what the role is to be like; what is left out stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteRole {
    /// The name of the key that signs.
    key: Option<LooseText>,
    /// JSON with placeholders, plain or in base64: claims beside the usual ones.
    template: Option<LooseText>,
    /// How long a token lasts; a day if nothing is said.
    ttl: Option<Ttl>,
    /// Whom a token is for; made up if nothing is said.
    client_id: Option<LooseText>,
}

impl Endpoint for WriteRole {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Done;
    const ROUTE: Route = Route::write("oidc/role/{name}").summary("Make or change a role of identity tokens");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, cx: &mut Cx<'_>) -> Result<Done> {
        let text = |field: Option<LooseText>| field.map(|text| text.0);
        let change = RoleChange {
            key: text(self.key),
            template: text(self.template),
            ttl: self.ttl,
            client_id: text(self.client_id),
        };
        unsealed.identity.oidc.write_role(&path.name, change, cx.txn()).await?;
        Ok(Done)
    }
}

/// `DELETE`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteRole {}

impl Endpoint for DeleteRole {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("oidc/role/{name}").summary("Delete a role of identity tokens");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, cx: &mut Cx<'_>) -> Result<Done> {
        unsealed.identity.oidc.delete_role(&path.name, cx.txn())?;
        Ok(Done)
    }
}
