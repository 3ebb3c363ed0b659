//! `POST /v1/sys/rotate/root/update`: a share for the rekey that goes on.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::Vault;

use super::super::super::NoPath;
use crate::sys::rekey::{GiveShare, RekeyReply, give};

/// A share.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Update(GiveShare);

impl Endpoint for Update {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Data<RekeyReply>;
    const ROUTE: Route = Route::write("rotate/root/update").summary("Give a share to the rekey");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<RekeyReply>> {
        give(self.0, vault, cx).await.map(Data::new)
    }
}
