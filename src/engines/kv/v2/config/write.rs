//! `POST /v1/{mount}/config`: changes the mount's settings; what is left out stays as it is.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{LooseBool, LooseInt, given};
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::engines::kv::path::NoPath;
use crate::engines::kv::v2::Kv2;
use crate::engines::kv::v2::delete_after::DeleteAfter;
use crate::error::Result;

use super::{KEY, version_limit};

/// Changes of the mount's settings.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::engines::kv::v2) struct Write {
    /// How many versions of each secret are kept; 0 is the default, ten.
    #[serde(deserialize_with = "given")]
    max_versions: Option<LooseInt>,
    /// Whether every write must name the version that it follows.
    #[serde(deserialize_with = "given")]
    cas_required: Option<LooseBool>,
    /// Whether every change of metadata must name their version.
    #[serde(deserialize_with = "given")]
    metadata_cas_required: Option<LooseBool>,
    /// After what time new versions delete themselves; 0 is not at all unless a secret says so, negative is never.
    delete_version_after: Option<DeleteAfter>,
}

impl Endpoint for Write {
    type Target = Kv2;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("config").summary("Change the mount's settings");

    async fn handle(self, kv: &Kv2, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        let Self { max_versions, cas_required, metadata_cas_required, delete_version_after } = self;
        let mut config: super::Config = kv.view.fetch(cx.txn(), KEY).await?.unwrap_or_default();
        if let Some(number) = max_versions {
            config.max_versions = version_limit(number)?;
        }
        config.cas_required = cas_required.map_or(config.cas_required, |flag| flag.0);
        config.metadata_cas_required = metadata_cas_required.map_or(config.metadata_cas_required, |flag| flag.0);
        config.delete_version_after = delete_version_after.unwrap_or(config.delete_version_after);
        kv.view.put(cx.txn(), KEY, &config)?;
        Ok(Done)
    }
}
