//! `LIST /v1/sys/policies/password`: the names of password policies.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListPolicies {}

impl Endpoint for ListPolicies {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("policies/password").summary("The names of password policies");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(unsealed.passwords.names().await?))
    }
}
