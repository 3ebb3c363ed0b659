//! `/v1/sys/rotate/root/verify`: new shares are shown before they replace the present ones.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::Vault;

use super::super::super::NoPath;
use crate::sys::rekey::{GiveShare, VerificationInfo, VerificationReply, show, verification_status};

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadVerification {}

impl Endpoint for ReadVerification {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Data<VerificationInfo>;
    const ROUTE: Route = Route::read("rotate/root/verify").summary("How the verification stands");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<VerificationInfo>> {
        verification_status(vault).map(Data::new)
    }
}

/// `POST`: one of the new shares.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Verify(GiveShare);

impl Endpoint for Verify {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Data<VerificationReply>;
    const ROUTE: Route = Route::write("rotate/root/verify").summary("Show one of the new shares");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<VerificationReply>> {
        show(self.0, vault).await.map(Data::new)
    }
}

/// `DELETE`: the verification begins anew, under another nonce.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RestartVerification {}

impl Endpoint for RestartVerification {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Data<VerificationInfo>;
    const ROUTE: Route = Route::delete("rotate/root/verify").summary("Begin the verification anew");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<VerificationInfo>> {
        vault.restart_verification()?;
        verification_status(vault).map(Data::new)
    }
}
