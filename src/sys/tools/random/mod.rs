//! `/v1/sys/tools/random`: random bytes, their number and source in the body or in the path.

mod bytes;
mod one;
mod two;
mod zero;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `sys/tools/random`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes.endpoint::<zero::RandomBytes>().endpoint::<one::RandomBytes>().endpoint::<two::RandomBytes>()
}
