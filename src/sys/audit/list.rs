//! `GET /v1/sys/audit`: the audit devices.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::audit::DeviceConfig;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListDevices {}

/// An audit device.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DeviceInfo {
    #[serde(rename = "type")]
    kind: String,
    description: String,
    options: BTreeMap<String, String>,
    /// Its path, with a slash at its end.
    path: String,
    /// Always false: there is one node.
    local: bool,
}

impl Endpoint for ListDevices {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<BTreeMap<String, DeviceInfo>>;
    const ROUTE: Route = Route::read("audit").sudo().summary("The audit devices");

    async fn handle(
        self,
        unsealed: &Arc<Unsealed>,
        _: NoPath,
        _: &mut Cx<'_>,
    ) -> Result<Data<BTreeMap<String, DeviceInfo>>> {
        let devices = unsealed.core.audit.devices().into_iter().map(|device| {
            let DeviceConfig { path, kind, description, options, local } = device;
            (path.clone(), DeviceInfo { kind, description, options, path, local })
        });
        Ok(Data::new(devices.collect()).repeated())
    }
}
