//! `POST /v1/sys/internal/specs/openapi`: the same document, asked for with a body.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseBool;
use crate::engine::{Cx, Endpoint, Raw, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::sys::openapi::Document;
use crate::vault::Unsealed;

/// How the document is to be.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct RequestDocument {
    /// Whether mounts of secrets engines stand as `{kv_mount_path}` rather than where they are.
    generic_mount_paths: LooseBool,
}

impl Endpoint for RequestDocument {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Raw<Document>;
    const ROUTE: Route = Route::write("internal/specs/openapi").public().summary("The OpenAPI document");
    const ALIASES: &'static [&'static str] = &["context"];

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Raw<Document>> {
        super::answer(unsealed, self.generic_mount_paths.0, cx).await
    }
}
