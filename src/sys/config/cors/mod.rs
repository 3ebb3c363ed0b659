//! `/v1/sys/config/cors`: which web pages may call the API from a browser.

mod delete;
mod read;
mod write;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds `sys/config/cors`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes.endpoint::<read::ReadCors>().endpoint::<write::WriteCors>().endpoint::<delete::DeleteCors>()
}
