//! `DELETE /v1/{mount}/metadata/{path}`: removes all of a secret, every version and the metadata.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::engines::kv::path::SecretPath;
use crate::engines::kv::v2::Kv2;
use crate::error::Result;

/// Removes all of a secret.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::engines::kv::v2) struct Delete {}

impl Endpoint for Delete {
    type Target = Kv2;
    type Path = SecretPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("metadata/{path..}").summary("Remove a secret with all of its versions");

    async fn handle(self, kv: &Kv2, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Done> {
        if let Some(secret) = kv.fetch(cx.txn(), &path).await? {
            kv.remove(cx.txn(), &path, &secret)?;
        }
        Ok(Done)
    }
}
