//! `GET /v1/{mount}/config`: the mount's settings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::engines::kv::path::NoPath;
use crate::engines::kv::v2::Kv2;
use crate::error::Result;

use super::Config;

/// Asks for the mount's settings.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::engines::kv::v2) struct Read {}

/// The mount's settings.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::engines::kv::v2) struct Shown {
    cas_required: bool,
    /// Hours, minutes and seconds: `1h30m0s`; `-1s` is never.
    delete_version_after: String,
    /// 0 is the default, ten.
    max_versions: u32,
    metadata_cas_required: bool,
}

impl Endpoint for Read {
    type Target = Kv2;
    type Path = NoPath;
    type Reply = Data<Shown>;
    const ROUTE: Route = Route::read("config").summary("Read the mount's settings");

    async fn handle(self, kv: &Kv2, _: NoPath, _: &mut Cx<'_>) -> Result<Data<Shown>> {
        let Config { max_versions, cas_required, metadata_cas_required, delete_version_after } = kv.config().await?;
        let delete_version_after = delete_version_after.to_string();
        Ok(Data::new(Shown { cas_required, delete_version_after, max_versions, metadata_cas_required }))
    }
}
