//! `LIST /v1/auth/{mount}/role`: the names of the roles.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::approle::Approle;
use crate::engine::{Cx, Endpoint, Listing, Paging, Route};
use crate::error::Result;

use super::FOLDER;

/// Which part of the list is wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::auth::approle) struct ListRoles(Paging);

/// The path has no parameters.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::approle) struct NoPath {}

impl Endpoint for ListRoles {
    type Target = Approle;
    type Path = NoPath;
    type Reply = Listing;

    const ROUTE: Route = Route::list("role").summary("List the roles.");

    async fn handle(self, approle: &Approle, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(approle.view.list(FOLDER, self.0.page()).await?))
    }
}
