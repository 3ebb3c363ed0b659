//! `SCAN /v1/{mount}/metadata/{path}`: the paths of all secrets below a folder.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::engines::kv::path::FolderPath;
use crate::engines::kv::scan::{self, Paths};
use crate::engines::kv::v2::Kv2;
use crate::error::Result;

/// Asks for the paths of all secrets below a folder.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::engines::kv::v2) struct Scan {}

impl Endpoint for Scan {
    type Target = Kv2;
    type Path = FolderPath;
    type Reply = Data<Paths>;
    const ROUTE: Route = Route::scan("metadata/{path..}").summary("List all secrets below a folder");

    async fn handle(self, kv: &Kv2, folder: FolderPath, _: &mut Cx<'_>) -> Result<Data<Paths>> {
        scan::below(&kv.secrets, &folder.prefix()).await.map(Data::new)
    }
}
