//! `/v1/sys/config/auditing/request-headers`: which headers of requests go to the audit log.

mod delete;
mod list;
mod read;
mod write;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Routes;
use crate::vault::Unsealed;

/// The header that a path names.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct HeaderPath {
    /// Its name, in lower case.
    header: String,
}

/// How a header is written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HeaderRule {
    /// Whether its values are hashed.
    hmac: bool,
}

/// Adds what is below `sys/config/auditing/request-headers`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<list::ListHeaders>()
        .endpoint::<read::ReadHeader>()
        .endpoint::<write::WriteHeader>()
        .endpoint::<delete::DeleteHeader>()
}
