//! `POST /v1/sys/tools/random/{source}/{urlbytes}`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::bytes::{Drawing, Random, number, source};

/// See [`Drawing`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct RandomBytes(Drawing);

/// Where from, and how many.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SourcePath {
    /// The source of randomness: `platform`, `seal` or `all`.
    source: String,
    /// How many bytes.
    urlbytes: String,
}

impl Endpoint for RandomBytes {
    type Target = Arc<Unsealed>;
    type Path = SourcePath;
    type Reply = Data<Random>;
    const ROUTE: Route = Route::write("tools/random/{source}/{urlbytes}").summary("Random bytes");

    async fn handle(self, _: &Arc<Unsealed>, path: SourcePath, cx: &mut Cx<'_>) -> Result<Data<Random>> {
        let Self(mut drawing) = self;
        source(&path.source, cx)?;
        drawing.bytes = Some(number(&path.urlbytes)?);
        drawing.answer(cx)
    }
}
