//! `POST /v1/{mount}/metadata/{path}`: changes settings of a secret, and replaces its custom metadata.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Answer, Caller, Cx, Endpoint, Existence, Route};
use crate::engines::kv::path::SecretPath;
use crate::engines::kv::v2::Kv2;
use crate::engines::kv::v2::secret::Secret;
use crate::error::Result;

use super::{Changes, Custom, done};

/// Changes of the metadata; custom metadata are replaced as a whole.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::engines::kv::v2) struct Write(Changes);

impl Endpoint for Write {
    type Target = Kv2;
    type Path = SecretPath;
    type Reply = Answer;
    const ROUTE: Route = Route::write("metadata/{path..}").summary("Write the metadata of a secret");

    async fn handle(self, kv: &Kv2, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Answer> {
        let Self(changes) = self;
        if changes.are_none() {
            return done(Vec::new());
        }
        let now = cx.now();
        let config = kv.config().await?;
        let mut secret = kv.fetch(cx.txn(), &path).await?.unwrap_or_else(|| Secret::new(now));
        let warnings = changes.apply(&mut secret, &config, Custom::Replace, now)?;
        kv.save(cx.txn(), &path, &secret)?;
        done(warnings)
    }

    async fn existence(kv: &Kv2, SecretPath { path }: SecretPath, _: Option<&Caller>) -> Result<Existence> {
        kv.secrets.exists(&path).await.map(Existence::from)
    }
}
