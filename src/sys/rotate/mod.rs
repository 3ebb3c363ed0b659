//! `/v1/sys/rotate/*`: other keys for the storage, and other shares for its operators.

mod config;
mod keyring;
mod root;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::{Unsealed, Vault};

/// Adds what rotates the keyring.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<keyring::Rotate>()
        .endpoint::<keyring::RotateKeyring>()
        .endpoint::<config::ReadConfig>()
        .endpoint::<config::ReadKeyringConfig>()
        .endpoint::<config::WriteConfig>()
        .endpoint::<config::WriteKeyringConfig>()
}

/// Adds what replaces the shares.
pub(super) fn add_root(routes: Routes<Arc<Vault>>) -> Routes<Arc<Vault>> {
    root::add(routes)
}
