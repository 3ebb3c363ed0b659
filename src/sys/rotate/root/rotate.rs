//! `POST /v1/sys/rotate/root`: a new root key, without its shareholders. Not with this seal.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Vault;

use super::super::super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RotateRoot {}

impl Endpoint for RotateRoot {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("rotate/root").sudo().summary("Make a new root key");

    /// The root key is stored encrypted under the seal key, which is forgotten once the vault is unsealed: no new root
    /// key can be stored until its shareholders bring the seal key back.
    async fn handle(self, _: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        Err(Error::invalid("the key shares are needed for this; use sys/rotate/root/init and sys/rotate/root/update"))
    }
}
