//! `GET /v1/sys/policies/password/{name}/generate`: a password by a policy.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::secret::{self, SecretText};
use crate::vault::Unsealed;

use super::{PolicyPath, absent};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct GeneratePassword {}

/// A new password.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Generated {
    /// It is not kept.
    #[serde(serialize_with = "secret::on_wire")]
    password: SecretText,
}

impl Endpoint for GeneratePassword {
    type Target = Arc<Unsealed>;
    type Path = PolicyPath;
    type Reply = Data<Generated>;
    const ROUTE: Route = Route::read("policies/password/{name..}/generate").summary("A password by a policy");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PolicyPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        unsealed.passwords.policy(&path.name).await?.ok_or_else(absent)?;
        let password = cx.deps.passwords.generate(&path.name).await?;
        Ok(Data::new(Generated { password }))
    }
}
