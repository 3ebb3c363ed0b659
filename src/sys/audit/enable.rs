//! `POST /v1/sys/audit/{path}`: enables an audit device, where the configuration lets anyone do so through the API.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{KeyValues, LooseBool, LooseText};
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::DevicePath;

/// What is to be enabled.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct EnableDevice {
    /// The kind of device: `file`, `http`, `socket` or `syslog`.
    #[serde(rename = "type")]
    kind: String,
    /// What its operator says about it.
    description: LooseText,
    /// Its options, such as `file_path`.
    options: KeyValues,
    /// Read and not looked at: there is one node.
    #[serde(rename = "local")]
    _local: LooseBool,
}

impl Endpoint for EnableDevice {
    type Target = Arc<Unsealed>;
    type Path = DevicePath;
    type Reply = Done;
    const ROUTE: Route = Route::write("audit/{path..}").sudo().summary("Enable an audit device");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: DevicePath, _: &mut Cx<'_>) -> Result<Done> {
        unsealed.core.enable_audit(&path.path, &self.kind, self.description.0, self.options.0).await?;
        Ok(Done)
    }
}
