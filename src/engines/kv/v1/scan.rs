//! `SCAN /v1/{mount}/{path}`: the paths of all secrets below a folder.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::Result;

use super::Kv1;
use crate::engines::kv::path::FolderPath;

/// Asks for the paths of all secrets below a folder.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Scan {}

impl Endpoint for Scan {
    type Target = Kv1;
    type Path = FolderPath;
    type Reply = Listing;
    const ROUTE: Route = Route::scan("{path..}").summary("List all secrets below a folder");

    async fn handle(self, kv: &Kv1, folder: FolderPath, _: &mut Cx<'_>) -> Result<Listing> {
        kv.secrets.scan(&folder.prefix()).await.map(Listing::of)
    }
}
