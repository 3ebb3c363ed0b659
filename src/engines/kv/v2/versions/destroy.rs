//! `POST /v1/{mount}/destroy/{path}`: removes the payloads of versions for good.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::engines::kv::path::SecretPath;
use crate::engines::kv::v2::Kv2;
use crate::error::Result;

use super::Versions;

/// Destroy versions of a secret for good.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::engines::kv::v2) struct Destroy(Versions);

impl Endpoint for Destroy {
    type Target = Kv2;
    type Path = SecretPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("destroy/{path..}").summary("Destroy versions of a secret for good");

    async fn handle(self, kv: &Kv2, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Done> {
        let numbers = self.0.numbers()?;
        let Some(mut secret) = kv.fetch(cx.txn(), &path).await? else { return Ok(Done) };
        let mut changed = false;
        for number in numbers {
            changed |= kv.destroy(cx.txn(), &path, &mut secret, number)?;
        }
        if changed {
            kv.save(cx.txn(), &path, &secret)?;
        }
        Ok(Done)
    }
}
