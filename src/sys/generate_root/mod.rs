//! Root tokens out of enough shares: `/v1/sys/generate-root-token/*` for those with a token, and the older
//! `/v1/sys/generate-root/*`, which is switched off unless a listener is configured to have it.

mod authenticated;
mod decode_token;
mod operations;
mod unauthenticated;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::{Unsealed, Vault};

/// Adds the generation of root tokens.
pub(super) fn add(routes: Routes<Arc<Vault>>) -> Routes<Arc<Vault>> {
    routes
        .endpoint::<unauthenticated::ReadAttempt>()
        .endpoint::<unauthenticated::StartAttempt>()
        .endpoint::<unauthenticated::CancelAttempt>()
        .endpoint::<unauthenticated::UpdateAttempt>()
        .endpoint::<authenticated::ReadTokenAttempt>()
        .endpoint::<authenticated::StartTokenAttempt>()
        .endpoint::<authenticated::CancelTokenAttempt>()
        .endpoint::<authenticated::UpdateTokenAttempt>()
}

/// Adds `sys/decode-token`.
pub(super) fn add_decoding(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes.endpoint::<decode_token::DecodeToken>()
}
