//! `POST /v1/{mount}/delete/{path}`: deletes versions, so that they can be undeleted.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::engines::kv::path::SecretPath;
use crate::engines::kv::v2::Kv2;
use crate::error::Result;

use super::Versions;

/// Delete versions of a secret.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::engines::kv::v2) struct Delete(Versions);

impl Endpoint for Delete {
    type Target = Kv2;
    type Path = SecretPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("delete/{path..}").summary("Delete versions of a secret");

    async fn handle(self, kv: &Kv2, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Done> {
        let numbers = self.0.numbers()?;
        let now = cx.now();
        let Some(mut secret) = kv.fetch(cx.txn(), &path).await? else { return Ok(Done) };
        let mut changed = false;
        for number in numbers {
            changed |= secret.delete(number, now);
        }
        if changed {
            kv.save(cx.txn(), &path, &secret)?;
        }
        Ok(Done)
    }
}
