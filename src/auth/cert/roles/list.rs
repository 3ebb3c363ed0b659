//! `LIST /v1/auth/{mount}/certs`: the names of the roles.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::cert::Cert;
use crate::engine::{Cx, Endpoint, Listing, Paging, Route};
use crate::error::Result;

use super::FOLDER;

/// Which part of the list is wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::auth::cert) struct ListRoles(Paging);

/// The path has no parameters.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::cert) struct NoPath {}

impl Endpoint for ListRoles {
    type Target = Cert;
    type Path = NoPath;
    type Reply = Listing;

    const ROUTE: Route = Route::list("certs").summary("List the roles for certificates.");

    async fn handle(self, cert: &Cert, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(cert.view.list(FOLDER, self.0.page()).await?))
    }
}
