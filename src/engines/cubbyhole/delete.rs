//! `DELETE /v1/cubbyhole/{path}`: removes a secret of the caller's token, if it is there.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

use super::{Cubbyhole, SecretPath, key, own_token_id};

/// Removes a secret.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Delete {}

impl Endpoint for Delete {
    type Target = Cubbyhole;
    type Path = SecretPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("{path..}").summary("Delete a secret of the caller's token");

    async fn handle(self, target: &Cubbyhole, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Done> {
        let key = key(own_token_id(cx)?, &path);
        target.view.delete(cx.txn(), &key)?;
        Ok(Done)
    }
}
