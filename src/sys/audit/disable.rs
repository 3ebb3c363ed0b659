//! `DELETE /v1/sys/audit/{path}`: disables an audit device.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::DevicePath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DisableDevice {}

impl Endpoint for DisableDevice {
    type Target = Arc<Unsealed>;
    type Path = DevicePath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("audit/{path..}").sudo().summary("Disable an audit device");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: DevicePath, _: &mut Cx<'_>) -> Result<Done> {
        unsealed.core.disable_audit(&path.path).await?;
        Ok(Done)
    }
}
