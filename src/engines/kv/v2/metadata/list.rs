//! `LIST /v1/{mount}/metadata/{path}?after={name}&limit={n}`: the names in a folder.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Paging, Route};
use crate::engines::kv::path::FolderPath;
use crate::engines::kv::v2::Kv2;
use crate::error::Result;

/// Asks for the names in a folder.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::engines::kv::v2) struct List(Paging);

impl Endpoint for List {
    type Target = Kv2;
    type Path = FolderPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("metadata/{path..}").summary("List the names in a folder");

    async fn handle(self, kv: &Kv2, folder: FolderPath, _: &mut Cx<'_>) -> Result<Listing> {
        kv.secrets.list(&folder.prefix(), self.0.page()).await.map(Listing::of)
    }
}
