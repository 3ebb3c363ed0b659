//! `POST /v1/sys/tools/random`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::bytes::{Drawing, Random};

/// See [`Drawing`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct RandomBytes(Drawing);

impl Endpoint for RandomBytes {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Random>;
    const ROUTE: Route = Route::write("tools/random").summary("Random bytes");
    const ALIASES: &'static [&'static str] = &["source"];

    async fn handle(self, _: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<Random>> {
        self.0.answer(cx)
    }
}
