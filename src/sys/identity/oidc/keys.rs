//! `GET /v1/identity/oidc/.well-known/keys`: the public keys that identity tokens are verified with (RFC 7517).

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Endpoint, Raw, Route};
use crate::error::Result;
use crate::identity::oidc::Jwk;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadKeys {}

/// The public keys.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct KeySet {
    keys: Vec<Jwk>,
}

impl Endpoint for ReadKeys {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Raw<KeySet>;
    const ROUTE: Route =
        Route::read("oidc/.well-known/keys").public().summary("The public keys that identity tokens are verified with");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Raw::new(KeySet { keys: unsealed.identity.oidc.published().await? }))
    }
}
