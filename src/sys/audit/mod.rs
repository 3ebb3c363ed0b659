//! `/v1/sys/audit`, `audit-hash` and `config/auditing`: the audit devices, and what they write.

mod disable;
mod enable;
mod hash;
mod headers;
mod list;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// The device that a path names.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DevicePath {
    /// Its path, with or without a slash at its end.
    path: String,
}

/// Adds what is about audit devices.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    headers::add(routes)
        .endpoint::<list::ListDevices>()
        .endpoint::<enable::EnableDevice>()
        .endpoint::<disable::DisableDevice>()
        .endpoint::<hash::HashInput>()
}
