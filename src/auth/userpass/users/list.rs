//! `LIST /v1/auth/{mount}/users`: the names of the users.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::userpass::Userpass;
use crate::engine::{Cx, Endpoint, Listing, Paging, Route};
use crate::error::Result;

use super::FOLDER;

/// Which part of the list is wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::auth::userpass) struct ListUsers(Paging);

/// The path has no parameters.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::userpass) struct NoPath {}

impl Endpoint for ListUsers {
    type Target = Userpass;
    type Path = NoPath;
    type Reply = Listing;

    const ROUTE: Route = Route::list("users").summary("List the users.");

    async fn handle(self, userpass: &Userpass, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(userpass.view.list(FOLDER, self.0.page()).await?))
    }
}
