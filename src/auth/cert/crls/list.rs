//! `LIST /v1/auth/{mount}/crls`: the names of the lists of revoked certificates.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::cert::Cert;
use crate::engine::{Cx, Endpoint, Listing, Paging, Route};
use crate::error::Result;

use super::FOLDER;

/// Which part of the list is wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::auth::cert) struct ListCrls(Paging);

/// The path has no parameters.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::cert) struct NoPath {}

impl Endpoint for ListCrls {
    type Target = Cert;
    type Path = NoPath;
    type Reply = Listing;

    const ROUTE: Route = Route::list("crls").summary("List the lists of revoked certificates.");

    async fn handle(self, cert: &Cert, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(cert.view.list(FOLDER, self.0.page()).await?))
    }
}
