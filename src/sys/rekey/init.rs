//! `/v1/sys/rekey/init`: how a rekey stands, its start and its cancellation, without a token.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Raw, Route};
use crate::error::Result;
use crate::vault::Vault;

use super::super::NoPath;
use super::operations::{RekeyInfo, StartRekey, may_cancel, open, start, status};

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadRekey {}

impl Endpoint for ReadRekey {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<RekeyInfo>;
    const ROUTE: Route = Route::read("rekey/init").public().summary("How the rekey stands");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Raw<RekeyInfo>> {
        open(vault.parts().settings.unauthed_rekey)?;
        status(vault).map(Raw::new)
    }
}

/// `POST`.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Start(StartRekey);

impl Endpoint for Start {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<RekeyInfo>;
    const ROUTE: Route = Route::write("rekey/init").public().summary("Start a rekey");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Raw<RekeyInfo>> {
        open(vault.parts().settings.unauthed_rekey)?;
        start(self.0, vault, cx).map(Raw::new)
    }
}

/// `DELETE`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct CancelRekey {
    /// Names the rekey; it may be left out by who has a token that may delete here.
    nonce: String,
}

impl Endpoint for CancelRekey {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("rekey/init").public().summary("Cancel the rekey");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        open(vault.parts().settings.unauthed_rekey)?;
        let going_on = vault.rekey_status()?.going_on;
        may_cancel(going_on.as_ref().map(|rekey| rekey.nonce.as_str()), &self.nonce, vault, cx).await?;
        vault.cancel_rekey()?;
        Ok(Done)
    }
}
