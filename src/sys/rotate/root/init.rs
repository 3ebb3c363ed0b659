//! `/v1/sys/rotate/root/init`: how a rekey stands, its start and its cancellation.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Vault;

use super::super::super::NoPath;
use crate::sys::rekey::{RekeyInfo, StartRekey, start, status};

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadRekey {}

impl Endpoint for ReadRekey {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Data<RekeyInfo>;
    const ROUTE: Route = Route::read("rotate/root/init").summary("How the rekey stands");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<RekeyInfo>> {
        status(vault).map(Data::new)
    }
}

/// `POST`.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Start(StartRekey);

impl Endpoint for Start {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Data<RekeyInfo>;
    const ROUTE: Route = Route::write("rotate/root/init").summary("Start a rekey");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<RekeyInfo>> {
        start(self.0, vault, cx).map(Data::new)
    }
}

/// `DELETE`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct CancelRekey {}

impl Endpoint for CancelRekey {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("rotate/root/init").summary("Cancel the rekey");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        vault.cancel_rekey()?;
        Ok(Done)
    }
}
