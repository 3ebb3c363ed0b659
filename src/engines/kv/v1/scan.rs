//! `SCAN /v1/{mount}/{path}`: the paths of all secrets below a folder.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;

use super::Kv1;
use crate::engines::kv::path::FolderPath;
use crate::engines::kv::scan::{self, Paths};

/// Asks for the paths of all secrets below a folder.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Scan {}

impl Endpoint for Scan {
    type Target = Kv1;
    type Path = FolderPath;
    type Reply = Data<Paths>;
    const ROUTE: Route = Route::scan("{path..}").summary("List all secrets below a folder");

    async fn handle(self, kv: &Kv1, folder: FolderPath, _: &mut Cx<'_>) -> Result<Data<Paths>> {
        scan::below(&kv.secrets, &folder.prefix()).await.map(Data::new)
    }
}
