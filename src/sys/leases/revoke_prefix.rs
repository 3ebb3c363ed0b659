//! `POST /v1/sys/leases/revoke-prefix/{prefix}`: ends every lease below a path.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseBool;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::PrefixPath;
use super::revoke::answer;

/// How.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RevokePrefix {
    /// Whether to answer only when all is done; otherwise all is due, durably, and done in the background.
    #[serde(default = "super::waits")]
    sync: LooseBool,
}

impl Endpoint for RevokePrefix {
    type Target = Arc<Unsealed>;
    type Path = PrefixPath;
    type Reply = Data<()>;
    const ROUTE: Route =
        Route::write("leases/revoke-prefix/{prefix..}").sudo().summary("Ends every lease below a path");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PrefixPath, _: &mut Cx<'_>) -> Result<Data<()>> {
        unsealed.revoke_prefix(&path.prefix, self.sync.0).await?;
        Ok(answer(self.sync.0))
    }
}
