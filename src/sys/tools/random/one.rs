//! `POST /v1/sys/tools/random/{urlbytes}` and `/{source}`.

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

/// The one or the other.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct WordPath {
    /// How many bytes, or the source of randomness.
    urlbytes: String,
}

impl Endpoint for RandomBytes {
    type Target = Arc<Unsealed>;
    type Path = WordPath;
    type Reply = Data<Random>;
    const ROUTE: Route = Route::write("tools/random/{urlbytes}").summary("Random bytes");
    const ALIASES: &'static [&'static str] = &["source"];

    async fn handle(self, _: &Arc<Unsealed>, path: WordPath, cx: &mut Cx<'_>) -> Result<Data<Random>> {
        let Self(mut drawing) = self;
        if matches!(path.urlbytes.as_str(), "platform" | "seal" | "all") {
            source(&path.urlbytes, cx)?;
        } else {
            drawing.bytes = Some(number(&path.urlbytes)?);
        }
        drawing.answer(cx)
    }
}
