//! `POST /v1/cubbyhole/{path}`: writes a secret of the caller's token, in place of what was there.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Caller, Cx, Done, Endpoint, Existence, Route, TokenType};
use crate::error::{Error, Result};
use crate::secret::SecretJson;

use super::{Cubbyhole, Secret, SecretPath, key, own_token_id};

/// The secret: the whole body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Write {
    secret: SecretJson,
}

impl Endpoint for Write {
    type Target = Cubbyhole;
    type Path = SecretPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("{path..}").summary("Write a secret of the caller's token");

    async fn handle(self, target: &Cubbyhole, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Done> {
        let key = key(own_token_id(cx)?, &path);
        if !self.secret.is_object() || self.secret.is_empty_object() {
            return Err(Error::invalid("missing data fields: send an object with at least one field"));
        }
        target.view.put(cx.txn(), &key, &Secret(self.secret))?;
        Ok(Done)
    }

    async fn existence(target: &Cubbyhole, path: SecretPath, caller: Option<&Caller>) -> Result<Existence> {
        match caller {
            Some(caller) if caller.token_type == TokenType::Service => {
                target.view.exists(&key(&caller.token_id, &path.path)).await.map(Existence::from)
            }
            Some(_) | None => Ok(Existence::Unknown),
        }
    }
}
