//! `POST /v1/sys/rekey/update`: a share for the rekey that goes on, without a token.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Raw, Route};
use crate::error::Result;
use crate::vault::Vault;

use super::super::NoPath;
use super::operations::{GiveShare, RekeyReply, give, open};

/// A share.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Update(GiveShare);

impl Endpoint for Update {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<RekeyReply>;
    const ROUTE: Route = Route::write("rekey/update").public().summary("Give a share to the rekey");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Raw<RekeyReply>> {
        open(vault.parts().settings.unauthed_rekey)?;
        give(self.0, vault, cx).await.map(Raw::new)
    }
}
