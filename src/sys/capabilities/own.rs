//! `POST /v1/sys/capabilities-self`: what the token that asks may do.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::{Asked, Capabilities};

/// Which paths.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct OwnCapabilities(Asked);

impl Endpoint for OwnCapabilities {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Capabilities;
    const ROUTE: Route = Route::write("capabilities-self").summary("What the token that asks may do");
    const ALIASES: &'static [&'static str] = &["token"];

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Capabilities> {
        self.0.answer(unsealed, cx.caller()?).await
    }
}
