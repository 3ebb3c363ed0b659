//! `POST /v1/sys/wrapping/wrap`: wraps what the caller sends.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::SecretJson;
use crate::vault::Unsealed;

use super::super::NoPath;

/// Any object.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Wrap(SecretJson);

impl Endpoint for Wrap {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<SecretJson>;
    const ROUTE: Route = Route::write("wrapping/wrap").summary("Wrap data");

    /// Answers with the data itself; that the answer is wrapped is what the caller asked for in the header.
    async fn handle(self, _: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<SecretJson>> {
        if cx.wrap_ttl.is_none() {
            return Err(Error::invalid("endpoint requires response wrapping to be used"));
        }
        Ok(Data::new(self.0))
    }
}
