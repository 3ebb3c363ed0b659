//! `/v1/sys/generate-root/*`: a root token out of enough shares, without a token.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Raw, Route};
use crate::error::Result;
use crate::vault::Vault;

use super::super::NoPath;
use super::super::rekey::{GiveShare, may_cancel, open};
use super::operations::{AttemptInfo, AttemptRequest, give, start, status};

/// `GET attempt`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadAttempt {}

impl Endpoint for ReadAttempt {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<AttemptInfo>;
    const ROUTE: Route =
        Route::read("generate-root/attempt").public().summary("How the generation of a root token stands");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Raw<AttemptInfo>> {
        open(vault.parts().settings.unauthed_generate_root)?;
        status(vault).map(Raw::new)
    }
}

/// `POST attempt`.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct StartAttempt(AttemptRequest);

impl Endpoint for StartAttempt {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<AttemptInfo>;
    const ROUTE: Route = Route::write("generate-root/attempt").public().summary("Start the generation of a root token");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Raw<AttemptInfo>> {
        open(vault.parts().settings.unauthed_generate_root)?;
        start(self.0, vault, cx).map(Raw::new)
    }
}

/// `DELETE attempt`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct CancelAttempt {
    /// Names the attempt; it may be left out by who has a token that may delete here.
    nonce: String,
}

impl Endpoint for CancelAttempt {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route =
        Route::delete("generate-root/attempt").public().summary("Cancel the generation of a root token");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        open(vault.parts().settings.unauthed_generate_root)?;
        let current = vault.root_generation_status()?.nonce;
        may_cancel(current.as_deref(), &self.nonce, vault, cx).await?;
        vault.cancel_root_generation()?;
        Ok(Done)
    }
}

/// `POST update`: a share.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct UpdateAttempt(GiveShare);

impl Endpoint for UpdateAttempt {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<AttemptInfo>;
    const ROUTE: Route = Route::write("generate-root/update").public().summary("Give a share for a root token");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Raw<AttemptInfo>> {
        open(vault.parts().settings.unauthed_generate_root)?;
        give(self.0, vault, cx).await.map(Raw::new)
    }
}
