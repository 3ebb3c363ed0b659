//! `POST /v1/{mount}/undelete/{path}`: brings deleted versions back.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::engines::kv::path::SecretPath;
use crate::engines::kv::v2::Kv2;
use crate::error::Result;

use super::Versions;

/// Bring deleted versions of a secret back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::engines::kv::v2) struct Undelete(Versions);

impl Endpoint for Undelete {
    type Target = Kv2;
    type Path = SecretPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("undelete/{path..}").summary("Bring deleted versions of a secret back");

    async fn handle(self, kv: &Kv2, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Done> {
        let numbers = self.0.numbers()?;
        let Some(mut secret) = kv.fetch(cx.txn(), &path).await? else { return Ok(Done) };
        let deletion = kv.config().await?.deletion(&secret, cx.now());
        let mut changed = false;
        for number in numbers {
            changed |= secret.undelete(number, deletion);
        }
        if changed {
            kv.save(cx.txn(), &path, &secret)?;
        }
        Ok(Done)
    }
}
