//! `POST /v1/auth/{mount}/role/{role_name}/secret-id-accessor/lookup`: what there is to know of a secret id;
//! `POST` and `DELETE …/secret-id-accessor/destroy`: ends it. Both by its accessor, within its role.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::LooseText;
use crate::auth::approle::Approle;
use crate::auth::approle::roles::{Role, RolePath};
use crate::engine::{Answer, Cx, Data, Done, Endpoint, Reply, Route, StatusCode};
use crate::error::{Error, Result};

use super::{Accessor, SECRETS, SecretId, Shown, accessor_key};

/// Names a secret id by its accessor.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::approle) struct LookUpAccessor {
    /// The accessor.
    secret_id_accessor: LooseText,
}

/// Names a secret id by its accessor.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::approle) struct DestroyAccessor {
    /// The accessor.
    secret_id_accessor: LooseText,
}

/// The same as an operation of its own.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::auth::approle) struct DestroyAccessorByDelete(DestroyAccessor);

/// That there is no such accessor, in the form that clients expect of this one endpoint.
#[derive(Serialize, JsonSchema)]
struct Unknown {
    error: &'static str,
}

const UNKNOWN: &str = "failed to find accessor entry for secret_id_accessor in this role";

impl Endpoint for LookUpAccessor {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Answer;

    const ROUTE: Route =
        Route::write("role/{role_name:name}/secret-id-accessor/lookup").summary("Look up a secret id by accessor.");

    async fn handle(self, approle: &Approle, path: RolePath, cx: &mut Cx<'_>) -> Result<Answer> {
        let role = approle.known_role(&path.role_name).await?;
        let found = match approle.key_of(&role, &self.secret_id_accessor.0).await? {
            Some(key) => approle.secret_id(&key, cx.now()).await?,
            None => None,
        };
        match found {
            Some(_) => Shown::answer(found).into_answer(),
            None => Data::new(Unknown { error: UNKNOWN }).with_status(StatusCode::NOT_FOUND).into_answer(),
        }
    }
}

impl Endpoint for DestroyAccessor {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Done;

    const ROUTE: Route =
        Route::write("role/{role_name:name}/secret-id-accessor/destroy").summary("Destroy a secret id by accessor.");

    async fn handle(self, approle: &Approle, path: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        let role = approle.known_role(&path.role_name).await?;
        let key = approle.key_of(&role, &self.secret_id_accessor.0).await?;
        let key = key.ok_or_else(|| Error::not_found(UNKNOWN))?;
        // Expected to be unchanged, so that a use at the same moment does not write it back.
        approle.view.fetch::<SecretId>(cx.txn(), &key).await?;
        approle.delete_secret_id(cx.txn(), &role, &key, &self.secret_id_accessor.0)?;
        Ok(Done)
    }
}

impl Endpoint for DestroyAccessorByDelete {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Done;

    const ROUTE: Route =
        Route::delete("role/{role_name:name}/secret-id-accessor/destroy").summary("Destroy a secret id by accessor.");

    async fn handle(self, approle: &Approle, path: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        self.0.handle(approle, path, cx).await
    }
}

impl Approle {
    /// The key of the secret id that an accessor of this role leads to.
    async fn key_of(&self, role: &Role, accessor: &str) -> Result<Option<String>> {
        if accessor.is_empty() {
            return Err(Error::invalid("missing secret_id_accessor"));
        }
        if accessor.contains('/') {
            return Ok(None);
        }
        let entry: Option<Accessor> = self.view.get(&accessor_key(role, accessor)).await?;
        Ok(entry.map(|entry| format!("{SECRETS}{}/{}", role.uuid, entry.name)))
    }
}
