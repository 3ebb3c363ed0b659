//! `LIST` and `SCAN /v1/{mount}/detailed-metadata/{path}`: names and, with each, the metadata of the secret.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::engine::{Cx, Data, Endpoint, Listing, Paging, Route};
use crate::engines::kv::path::FolderPath;
use crate::engines::kv::scan::{self, Paths};
use crate::engines::kv::v2::Kv2;
use crate::error::{Error, Result};

use super::Details;

/// Asks for the names in a folder, with metadata.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::engines::kv::v2) struct List(Paging);

/// Asks for the paths of all secrets below a folder, with metadata.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::engines::kv::v2) struct Scan {}

impl Endpoint for List {
    type Target = Kv2;
    type Path = FolderPath;
    type Reply = Listing;
    const ROUTE: Route =
        Route::list("detailed-metadata/{path..}").summary("List the names in a folder with their metadata");

    async fn handle(self, kv: &Kv2, folder: FolderPath, _: &mut Cx<'_>) -> Result<Listing> {
        let prefix = folder.prefix();
        let keys = kv.secrets.list(&prefix, self.0.page()).await?;
        let key_info = Some(details(kv, &prefix, &keys).await?);
        Ok(Listing { keys, key_info })
    }
}

impl Endpoint for Scan {
    type Target = Kv2;
    type Path = FolderPath;
    type Reply = Data<Paths>;
    const ROUTE: Route =
        Route::scan("detailed-metadata/{path..}").summary("List all secrets below a folder with their metadata");

    async fn handle(self, kv: &Kv2, folder: FolderPath, _: &mut Cx<'_>) -> Result<Data<Paths>> {
        let prefix = folder.prefix();
        let Paths { keys, .. } = scan::below(&kv.secrets, &prefix).await?;
        let key_info = Some(details(kv, &prefix, &keys).await?).filter(|details| !details.is_empty());
        Ok(Data::new(Paths { keys, key_info }))
    }
}

/// The metadata of each of `keys`; a folder, and a secret that is gone since it was listed, have none.
async fn details(kv: &Kv2, prefix: &str, keys: &[String]) -> Result<Map<String, Value>> {
    let mut details = Map::new();
    for name in keys {
        let secret = if name.ends_with('/') { None } else { kv.secret(&format!("{prefix}{name}")).await? };
        let metadata = match secret {
            Some(secret) => serde_json::to_value(Details::from(secret))
                .map_err(|error| Error::internal("metadata cannot be written").with_source(error))?,
            None => Value::Object(Map::new()),
        };
        details.insert(name.clone(), metadata);
    }
    Ok(details)
}
