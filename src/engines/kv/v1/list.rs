//! `LIST /v1/{mount}/{path}`: the names in a folder.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Page, Route};
use crate::error::Result;

use super::Kv1;
use crate::engines::kv::path::FolderPath;

/// Asks for the names in a folder.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct List {}

impl Endpoint for List {
    type Target = Kv1;
    type Path = FolderPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("{path..}").summary("List the names in a folder");

    async fn handle(self, kv: &Kv1, folder: FolderPath, _: &mut Cx<'_>) -> Result<Listing> {
        kv.secrets.list(&folder.prefix(), Page::all()).await.map(Listing::of)
    }
}
