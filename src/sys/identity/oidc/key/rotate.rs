//! `POST /v1/identity/oidc/key/{name}/rotate`: replaces what signs.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::Ttl;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::super::NamePath;

/// What becomes of the old one.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RotateKey {
    /// How long its public half stays published; as the key says if this is left out.
    verification_ttl: Option<Ttl>,
}

impl Endpoint for RotateKey {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Done;
    const ROUTE: Route = Route::write("oidc/key/{name}/rotate").summary("Replace what signs identity tokens");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, cx: &mut Cx<'_>) -> Result<Done> {
        unsealed.identity.oidc.rotate_key(&path.name, self.verification_ttl, cx.txn()).await?;
        Ok(Done)
    }
}
