//! `DELETE /v1/{mount}/{path}`: removes a secret, if it is there.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

use super::Kv1;
use crate::engines::kv::path::SecretPath;

/// Removes a secret.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Delete {}

impl Endpoint for Delete {
    type Target = Kv1;
    type Path = SecretPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("{path..}").summary("Delete a secret");

    async fn handle(self, kv: &Kv1, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Done> {
        kv.secrets.delete(cx.txn(), &path)?;
        Ok(Done)
    }
}
