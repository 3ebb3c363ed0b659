//! `/v1/sys/rekey/verify`: new shares are shown before they replace the present ones, without a token.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Raw, Route};
use crate::error::Result;
use crate::vault::Vault;

use super::super::NoPath;
use super::operations::{
    GiveShare, VerificationInfo, VerificationReply, may_cancel, open, verification_status, verify,
};

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadVerification {}

impl Endpoint for ReadVerification {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<VerificationInfo>;
    const ROUTE: Route = Route::read("rekey/verify").public().summary("How the verification stands");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Raw<VerificationInfo>> {
        open(vault.parts().settings.unauthed_rekey)?;
        verification_status(vault).map(Raw::new)
    }
}

/// `POST`: one of the new shares.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Verify(GiveShare);

impl Endpoint for Verify {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<VerificationReply>;
    const ROUTE: Route = Route::write("rekey/verify").public().summary("Show one of the new shares");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Raw<VerificationReply>> {
        open(vault.parts().settings.unauthed_rekey)?;
        verify(self.0, vault).await.map(Raw::new)
    }
}

/// `DELETE`: the verification begins anew, under another nonce.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct RestartVerification {
    /// Names the verification; it may be left out by who has a token that may delete here.
    nonce: String,
}

impl Endpoint for RestartVerification {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<VerificationInfo>;
    const ROUTE: Route = Route::delete("rekey/verify").public().summary("Begin the verification anew");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Raw<VerificationInfo>> {
        open(vault.parts().settings.unauthed_rekey)?;
        let going_on = vault.rekey_status()?.going_on;
        let verification = going_on.and_then(|rekey| rekey.verification);
        may_cancel(verification.as_ref().map(|shown| shown.nonce.as_str()), &self.nonce, vault, cx).await?;
        vault.restart_verification()?;
        verification_status(vault).map(Raw::new)
    }
}
