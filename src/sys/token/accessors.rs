//! `LIST /v1/auth/token/accessors`: the accessors of all tokens.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListAccessors {}

impl Endpoint for ListAccessors {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("accessors").sudo().summary("The accessors of all tokens");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(unsealed.tokens.accessors(&unsealed.namespace.id).await?))
    }
}
