//! `/v1/sys/wrapping/*`: answers that are kept behind a token that is good for one use.

mod lookup;
mod presented;
mod rewrap;
mod unwrap;
mod wrap;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `sys/wrapping/`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<wrap::Wrap>()
        .endpoint::<unwrap::Unwrap>()
        .endpoint::<lookup::LookUp>()
        .endpoint::<lookup::GetLookUp>()
        .endpoint::<rewrap::Rewrap>()
}
