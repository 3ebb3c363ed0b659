//! `POST /v1/sys/capabilities-accessor`: what the token behind an accessor may do.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Route};
use crate::error::{Error, Result};
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::{Asked, Capabilities, holder};

/// Which token, which paths.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct AccessorCapabilities {
    /// The accessor of the token.
    #[serde(default)]
    accessor: String,
    #[serde(flatten)]
    asked: Asked,
}

impl Endpoint for AccessorCapabilities {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Capabilities;
    const ROUTE: Route = Route::write("capabilities-accessor").summary("What the token behind an accessor may do");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Capabilities> {
        if self.accessor.is_empty() {
            return Err(Error::invalid("missing accessor"));
        }
        let known = unsealed.by_accessor(&self.accessor).await?;
        let (id, record) = known.ok_or_else(|| Error::invalid("1 error occurred:\n\t* invalid accessor\n\n"))?;
        self.asked.answer(unsealed, &holder(unsealed, id, &record).await?).await
    }
}
