//! `LIST /v1/sys/version-history`: the versions of the server that have worked on this store.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::{InstalledVersion, Unsealed};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListVersions {}

impl Endpoint for ListVersions {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("version-history").summary("The versions that have worked on this store");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        let (mut keys, mut info) = (Vec::new(), Map::new());
        for InstalledVersion { version, installed, previous } in unsealed.core.installed_versions().await? {
            // When a version was made is only known of the one that runs.
            let made = if version == super::VERSION { super::BUILD_DATE } else { "" };
            let known = json!({
                "build_date": made,
                "commit_date": made,
                "previous_version": previous,
                "timestamp_installed": installed,
            });
            info.insert(version.clone(), known);
            keys.push(version);
        }
        Ok(Listing { keys, key_info: Some(info) })
    }
}
