//! `POST /v1/auth/{mount}/role/{role_name}/secret-id/lookup`: what there is to know of a secret id.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::approle::Approle;
use crate::auth::approle::roles::RolePath;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::SecretText;

use super::Shown;

/// Names a secret id.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::approle) struct LookUp {
    /// The secret id.
    secret_id: Option<SecretText>,
}

impl Endpoint for LookUp {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Data<Shown>;

    const ROUTE: Route = Route::write("role/{role_name:name}/secret-id/lookup").summary("Look up a secret id.");

    async fn handle(self, approle: &Approle, path: RolePath, cx: &mut Cx<'_>) -> Result<Data<Shown>> {
        let secret_id = self.secret_id.filter(|secret_id| !secret_id.is_empty());
        let secret_id = secret_id.ok_or_else(|| Error::invalid("missing secret_id"))?;
        let role = approle.known_role(&path.role_name).await?;
        let secret = approle.secret_id(&approle.secret_key(&role, secret_id.expose()), cx.now()).await?;
        Ok(Shown::answer(secret))
    }
}
