//! `/v1/auth/token/*`.

mod lookup_self;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// What is below `auth/token/`.
pub(super) fn routes() -> Routes<Arc<Unsealed>> {
    Routes::new().endpoint::<lookup_self::LookupSelf>()
}
