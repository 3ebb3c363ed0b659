//! `GET /v1/{mount}/subkeys/{path}?version={n}&depth={n}`: the names in a secret without the values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::LooseInt;
use crate::engine::{Cx, Data, Endpoint, Route, StatusCode};
use crate::engines::kv::path::SecretPath;
use crate::error::{Error, Result};
use crate::secret::SecretJson;

use super::Kv2;
use super::merge_patch::Outline;
use super::secret::VersionInfo;

/// Asks for the names in a secret.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Read {
    /// The version; 0 is the current one.
    version: LooseInt,
    /// How many levels of names; 0 is all.
    depth: LooseInt,
}

/// The names in a secret.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Found {
    metadata: VersionInfo,
    /// `null` where the version was deleted or destroyed.
    subkeys: Option<Outline>,
}

impl Endpoint for Read {
    type Target = Kv2;
    type Path = SecretPath;
    type Reply = Data<Found>;
    const ROUTE: Route = Route::read("subkeys/{path..}").summary("Read the names in a secret without the values");

    async fn handle(self, kv: &Kv2, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Data<Found>> {
        let version = u64::try_from(self.version.0).unwrap_or(0);
        let depth = u32::try_from(self.depth.0.max(0)).unwrap_or(u32::MAX);
        let snapshot = kv.snapshot(&path, version, cx.now()).await?.ok_or_else(Error::absent)?;
        let status = if snapshot.live { StatusCode::OK } else { StatusCode::NOT_FOUND };
        let document = snapshot.payload.filter(SecretJson::is_object);
        let subkeys = document.map(|document| Outline::of(&document, depth)).transpose()?;
        Ok(Data::new(Found { metadata: snapshot.info, subkeys }).with_status(status))
    }
}
