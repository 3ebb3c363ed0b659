//! `PATCH /v1/{mount}/metadata/{path}`: merges changes (RFC 7396) into the metadata of a secret.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Answer, Content, Cx, Endpoint, Route, StatusCode};
use crate::engines::kv::path::SecretPath;
use crate::engines::kv::v2::Kv2;
use crate::error::Result;

use super::{Changes, Custom, done};

/// Changes of the metadata; custom metadata are merged, and `null` removes one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::engines::kv::v2) struct Patch(Changes);

impl Endpoint for Patch {
    type Target = Kv2;
    type Path = SecretPath;
    type Reply = Answer;
    const ROUTE: Route = Route::patch("metadata/{path..}").summary("Change some of the metadata of a secret");

    async fn handle(self, kv: &Kv2, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Answer> {
        let Self(changes) = self;
        if changes.are_none() {
            return done(Vec::new());
        }
        let now = cx.now();
        // As with the data: clients know a secret that is not there by a 404 without a body.
        let Some(mut secret) = kv.fetch(cx.txn(), &path).await? else {
            return Ok(Answer { status: StatusCode::NOT_FOUND, content: Content::Nothing, warnings: Vec::new() });
        };
        let warnings = changes.apply(&mut secret, &kv.config().await?, Custom::Merge, now)?;
        kv.save(cx.txn(), &path, &secret)?;
        done(warnings)
    }
}
