//! `GET /v1/{mount}/data/{path}?version={n}`: a version of a secret, the newest if none is named.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::LooseInt;
use crate::engine::{Cx, Data, Endpoint, Route, StatusCode};
use crate::engines::kv::path::SecretPath;
use crate::engines::kv::v2::Kv2;
use crate::engines::kv::v2::secret::VersionInfo;
use crate::error::{Error, Result};
use crate::secret::SecretJson;

/// Asks for a version of a secret.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::engines::kv::v2) struct Read {
    /// The version; 0 is the current one.
    version: LooseInt,
}

/// A version of a secret.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::engines::kv::v2) struct Found {
    /// What was written; `null` where it was deleted or destroyed.
    data: Option<SecretJson>,
    metadata: VersionInfo,
}

impl Endpoint for Read {
    type Target = Kv2;
    type Path = SecretPath;
    type Reply = Data<Found>;
    const ROUTE: Route = Route::read("data/{path..}").summary("Read a version of a secret");

    async fn handle(self, kv: &Kv2, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Data<Found>> {
        let version = u64::try_from(self.version.0).unwrap_or(0);
        let snapshot = kv.snapshot(&path, version, cx.now()).await?.ok_or_else(Error::absent)?;
        let status = if snapshot.live { StatusCode::OK } else { StatusCode::NOT_FOUND };
        Ok(Data::new(Found { data: snapshot.payload, metadata: snapshot.info }).with_status(status))
    }
}
