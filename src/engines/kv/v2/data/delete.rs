//! `DELETE /v1/{mount}/data/{path}`: deletes the current version, so that it can be undeleted.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::engines::kv::path::SecretPath;
use crate::engines::kv::v2::Kv2;
use crate::error::Result;

/// Deletes the current version.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::engines::kv::v2) struct Delete {}

impl Endpoint for Delete {
    type Target = Kv2;
    type Path = SecretPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("data/{path..}").summary("Delete the current version of a secret");

    async fn handle(self, kv: &Kv2, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Done> {
        let now = cx.now();
        let Some(mut secret) = kv.fetch(cx.txn(), &path).await? else { return Ok(Done) };
        if secret.delete(secret.current, now) {
            kv.save(cx.txn(), &path, &secret)?;
        }
        Ok(Done)
    }
}
