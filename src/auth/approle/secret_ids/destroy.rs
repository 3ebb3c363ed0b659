//! `POST` and `DELETE /v1/auth/{mount}/role/{role_name}/secret-id/destroy`: ends a secret id.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::approle::Approle;
use crate::auth::approle::roles::RolePath;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::SecretText;

use super::SecretId;

/// Names a secret id.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::approle) struct Destroy {
    /// The secret id.
    secret_id: Option<SecretText>,
}

/// The same as an operation of its own.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::auth::approle) struct DestroyByDelete(Destroy);

impl Endpoint for Destroy {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Done;

    const ROUTE: Route = Route::write("role/{role_name:name}/secret-id/destroy").summary("Destroy a secret id.");

    async fn handle(self, approle: &Approle, path: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        let secret_id = self.secret_id.filter(|secret_id| !secret_id.is_empty());
        let secret_id = secret_id.ok_or_else(|| Error::invalid("missing secret_id"))?;
        let role = approle.known_role(&path.role_name).await?;
        let key = approle.secret_key(&role, secret_id.expose());
        let secret: Option<SecretId> = approle.view.fetch(cx.txn(), &key).await?;
        if let Some(secret) = secret {
            approle.delete_secret_id(cx.txn(), &role, &key, &secret.accessor)?;
        }
        Ok(Done)
    }
}

impl Endpoint for DestroyByDelete {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Done;

    const ROUTE: Route = Route::delete("role/{role_name:name}/secret-id/destroy").summary("Destroy a secret id.");

    async fn handle(self, approle: &Approle, path: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        self.0.handle(approle, path, cx).await
    }
}
