//! `/v1/sys/generate-root-token/*`: a root token out of enough shares, for those who have a token that may do so.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Vault;

use super::super::NoPath;
use super::super::rekey::GiveShare;
use super::operations::{AttemptInfo, AttemptRequest, give, start, status};

/// `GET attempt`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadTokenAttempt {}

impl Endpoint for ReadTokenAttempt {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Data<AttemptInfo>;
    const ROUTE: Route =
        Route::read("generate-root-token/attempt").summary("How the generation of a root token stands");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<AttemptInfo>> {
        status(vault).map(Data::new)
    }
}

/// `POST attempt`.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct StartTokenAttempt(AttemptRequest);

impl Endpoint for StartTokenAttempt {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Data<AttemptInfo>;
    const ROUTE: Route = Route::write("generate-root-token/attempt").summary("Start the generation of a root token");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<AttemptInfo>> {
        start(self.0, vault, cx).map(Data::new)
    }
}

/// `DELETE attempt`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct CancelTokenAttempt {}

impl Endpoint for CancelTokenAttempt {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("generate-root-token/attempt").summary("Cancel the generation of a root token");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        vault.cancel_root_generation()?;
        Ok(Done)
    }
}

/// `POST update`: a share.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct UpdateTokenAttempt(GiveShare);

impl Endpoint for UpdateTokenAttempt {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Data<AttemptInfo>;
    const ROUTE: Route = Route::write("generate-root-token/update").summary("Give a share for a root token");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<AttemptInfo>> {
        give(self.0, vault, cx).await.map(Data::new)
    }
}
