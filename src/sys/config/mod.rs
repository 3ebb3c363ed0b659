//! `/v1/sys/config`: settings of the server as a whole.

mod cors;
mod state;
mod ui_headers;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `sys/config`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    let routes = routes.endpoint::<state::ReadState>();
    let routes = cors::add(routes);
    ui_headers::add(routes)
}
