//! `GET /v1/sys/storage/check`: what came of the newest check of the store.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::{CheckReport, Unsealed};

use super::super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadLastCheck {}

impl Endpoint for ReadLastCheck {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<CheckReport>;
    const ROUTE: Route = Route::read("storage/check").sudo().summary("What came of the newest check of the store");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<CheckReport>> {
        let never = || Error::not_found("the store was not checked yet; POST to this path checks it");
        let last = unsealed.core.last_check().ok_or_else(never)?;
        Ok(Data::new(CheckReport::clone(&last)))
    }
}
