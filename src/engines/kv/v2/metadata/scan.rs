//! `SCAN /v1/{mount}/metadata/{path}`: the paths of all secrets below a folder.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::engines::kv::path::FolderPath;
use crate::engines::kv::v2::Kv2;
use crate::error::Result;

/// Asks for the paths of all secrets below a folder.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::engines::kv::v2) struct Scan {}

impl Endpoint for Scan {
    type Target = Kv2;
    type Path = FolderPath;
    type Reply = Listing;
    const ROUTE: Route = Route::scan("metadata/{path..}").summary("List all secrets below a folder");

    async fn handle(self, kv: &Kv2, folder: FolderPath, _: &mut Cx<'_>) -> Result<Listing> {
        kv.secrets.scan(&folder.prefix()).await.map(Listing::of)
    }
}
